#!/usr/bin/env bash
# Runs Ceph's S3 gateway on an in-memory store, until the process OWNER or the file FOLDER/keep is gone:
#   ceph.sh FOLDER OWNER MON_PORT S3_PORT ACCESS_KEY SECRET_KEY
# FOLDER/ready exists once it serves, FOLDER/failed if it can't. Must lead a process group: all of that ends with it.
set -euo pipefail
folder=$1 owner=$2 mon_port=$3 s3_port=$4 access_key=$5 secret_key=$6
cd "$folder"
mkdir run log mon osd rgw
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
key=$(head -c 32 /dev/urandom | base64)
cat >ceph.conf <<CONF
[global]
fsid = $fsid
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
mon_host = v1:127.0.0.1:$mon_port
ms_bind_msgr2 = false
run_dir = $folder/run
admin_socket = $folder/run/\$name.sock
log_file = $folder/log/\$name.log
mon_cluster_log_file = $folder/log/cluster.log
pid_file = $folder/run/\$name.pid
mon_data = $folder/mon
osd_data = $folder/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_class_update_on_start = false
osd_crush_update_on_start = false
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
rgw_frontends = beast endpoint=127.0.0.1:$s3_port
rgw_data = $folder/rgw
rgw_crypt_require_ssl = false
rgw_crypt_default_encryption_key = $key
CONF
export CEPH_CONF=$folder/ceph.conf

# Ends everything, whichever process is killed first: the daemons die with this one, and this one with its watcher.
end_all() {
  rm -rf "$folder"
  kill -KILL -- -$$
}
watch() {
  while kill -0 "$owner" 2>/dev/null && kill -0 $$ 2>/dev/null && [ -e "$folder/keep" ]; do sleep 0.5; done
  end_all
}
watch &
trap 'touch failed; sleep infinity' ERR
quietly() { setpriv --pdeathsig KILL "$@" >>log/start.log 2>&1; }
run() {
  setpriv --pdeathsig KILL "$@" >>log/start.log 2>&1 &
  daemons+=($!)
}

quietly monmaptool --create --addv a "[v1:127.0.0.1:$mon_port]" --fsid "$fsid" monmap
quietly ceph-mon --mkfs -i a --monmap monmap
run ceph-mon -f -i a
quietly ceph --connect-timeout 20 osd new "$osd"
# The daemon's own way of telling its place may fail on a busy machine.
quietly ceph osd crush add osd.0 1 host=here root=default
quietly ceph-osd --mkfs -i 0 --osd-uuid "$osd"
run ceph-osd -f -i 0
run radosgw -f -n client.rgw
until (exec 3<>"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null; do
  for pid in "${daemons[@]}"; do kill -0 "$pid"; done
  sleep 0.1
done
quietly radosgw-admin -n client.rgw user create --uid posthorn --display-name Posthorn \
  --access-key "$access_key" --secret-key "$secret_key"
touch ready
wait -n || true
end_all
