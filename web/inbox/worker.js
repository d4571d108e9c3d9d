// web/build.ts puts `made` in front: the paths of what the page is made of, and a name for these very files.
/* global made */
const name = `posthorn-shell-${made.version}`;

addEventListener("install", (event) => {
  const all = ["/", "/frame/blocked", "/frame/remote", ...made.files].map(
    (path) => new Request(path, { cache: "no-cache" }),
  );
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(all)));
  skipWaiting();
});

addEventListener("activate", (event) => {
  const isOld = (one) => one.startsWith("posthorn-shell-") && one !== name;
  const dropOld = caches.keys().then((all) => Promise.all(all.filter(isOld).map((one) => caches.delete(one))));
  event.waitUntil(dropOld.then(() => clients.claim()));
});

// The page and its frames come from the server whenever it answers. What has a hash in its name never changes. All else,
// mail above all, is not this script's business.
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const kept = () => caches.match(pathname, { cacheName: name });
  if (pathname.startsWith("/assets/")) event.respondWith(kept().then((found) => found ?? fetch(request)));
  else if (pathname === "/" || pathname.startsWith("/frame/"))
    event.respondWith(fetch(request).catch(async () => (await kept()) ?? Response.error()));
});
