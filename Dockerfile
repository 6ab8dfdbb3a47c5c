# Two stages: the first has npm and a compiler, the second has what runs.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The lock file decides; the project's own build script runs when its sources are here.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts ./scripts
COPY drizzle ./drizzle
COPY src ./src
RUN node scripts/build.ts

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fabric-sync" \
      org.opencontainers.image.description="Mirrors network fabrics, desired (Git) beside actual (Kubernetes), into one Postgres table" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# git, its ssh, and gpg for OpenPGP signatures (5 MB with its libraries, without agent and key server); npm, corepack and yarn are of no use at run time. The user has no home that could be written.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git openssh-client gpg ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
           /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && groupadd --gid 65532 fabric-sync \
 && useradd --uid 65532 --gid 65532 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin fabric-sync \
 && install --directory --owner=65532 --group=65532 --mode=0700 /var/cache/fabric-sync
COPY --from=build /build/dist /app
# The root file system may be read-only: HOME and the cache are volumes of the pod. malloc has one arena for all threads: each of several would keep
# what it once had, a tenth of the process.
ENV NODE_ENV=production \
    HOME=/tmp \
    FABRIC_SYNC_CACHE_DIR=/var/cache/fabric-sync \
    MALLOC_ARENA_MAX=1
# Numeric, so that a kubelet can see that it is not root.
USER 65532:65532
WORKDIR /app
EXPOSE 8080
# A small young generation: objects live for the time of one batch, and a larger one only makes the process larger.
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/fabric-sync.mjs"]
CMD ["run"]
