# syntax=docker/dockerfile:1

# gatelm in a container: http://localhost:8080, data in the volume /data.
#   docker compose up --build                                   (keys: see docker-compose.yml)
#   docker build -t gatelm . && docker run --init -p 127.0.0.1:8080:8080 -e GATELM_API_KEYS=… -v gatelm:/data gatelm
# It listens on all of the container's addresses, so it starts with GATELM_API_KEYS only.

FROM node:20-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV GATELM_CACHE_DIR=/var/cache/gatelm

# What seldom changes comes first: packages, better-sqlite3, libtensorflow.
COPY package.json package-lock.json ./
COPY scripts/setup.mjs scripts/setup.mjs
COPY scripts/setup scripts/setup
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/var/cache/gatelm \
    node scripts/setup.mjs --steps=dependencies,better-sqlite3,tensorflow

# Then the kernels and the sources; what only a build needs goes away.
COPY . .
RUN --mount=type=cache,target=/root/.npm --mount=type=cache,target=/var/cache/gatelm \
    node scripts/setup.mjs \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && mkdir -p native/build/Release \
 && find native/build -mindepth 1 ! -path native/build/Release ! -path native/build/Release/gatelm_kernels.node -delete \
 && rm -rf dist/.setup dist/test dist/bench dist/web dist/tsconfig.tsbuildinfo \
      node_modules/better-sqlite3/deps node_modules/better-sqlite3/build/Release/obj* \
      node_modules/@tensorflow/tfjs-node/deps/include node_modules/@tensorflow/tfjs-node/build-tmp-*

FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    GATELM_HOST=0.0.0.0 \
    GATELM_PORT=8080 \
    GATELM_DATA_DIR=/data \
    TF_CPP_MIN_LOG_LEVEL=2
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/native/build native/build
COPY --from=build /app/migrations migrations
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GATELM_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["serve"]
