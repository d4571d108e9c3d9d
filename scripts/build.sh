#!/bin/sh
# What a package carries: Node runs no TypeScript below node_modules.
set -eu
rm -rf dist
tsc -p tsconfig.build.json
tsc -p conformance/tsconfig.build.json
cp conformance/report/html.css conformance/report/html-filter.js dist/conformance/report/
node web/build.ts
# Outside a checkout the version names no commit.
git rev-parse HEAD > dist/commit 2> /dev/null || rm -f dist/commit
