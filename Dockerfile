# One image for every service of every mesh: the compose files choose the app by its command.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS workspace
WORKDIR /app
COPY package.json pnpm-workspace.yaml pnpm-lock.yaml ./
RUN npm install --global --no-fund --no-audit --loglevel=error pnpm@12.21.0

# Manifests first, then sources: a change of source does not download anything again.
FROM workspace AS viewer
COPY apps/viewer/package.json apps/viewer/
COPY packages/model/package.json packages/model/
RUN pnpm install --frozen-lockfile --filter '@hopscope/viewer...'
COPY apps/viewer apps/viewer
COPY packages/model packages/model
RUN cd apps/viewer && node node_modules/vite/bin/vite.js build --logLevel warn

FROM workspace AS apps
ENV NODE_ENV=production
RUN pnpm fetch --prod
COPY apps apps
COPY packages packages
RUN pnpm install --prod --frozen-lockfile --offline

FROM ${BASE}
WORKDIR /app
ENV NODE_ENV=production HOPSCOPE_DATA=/data NODE_COMPILE_CACHE=/app/.compiled
# A mesh is many processes with little to do. V8's own 16 MB for what is young keep garbage that nobody needs the room for, and malloc
# keeps what the compilers needed for a moment, unless what is large is given back at once. Who runs one container under load empties
# these variables.
ENV NODE_OPTIONS=--max-semi-space-size=1 MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768
COPY --from=apps /app /app
COPY --from=viewer /app/apps/viewer/dist apps/viewer/dist
COPY scripts/fill-compile-cache.mjs scripts/
RUN mkdir -p /data .compiled && chown node:node /data .compiled
USER node
RUN HOPSCOPE_DATA=/tmp/compiling node scripts/fill-compile-cache.mjs && rm -r /tmp/compiling
ENTRYPOINT ["node"]
