# The worker of @hyperlight/bullmq, on musl. The context is a folder with the packages as .tgz files: see docs/scale.md.
FROM node:24.11.1-alpine3.22 AS packages
WORKDIR /worker
COPY *.tgz ./
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund ./*.tgz && rm ./*.tgz

FROM node:24.11.1-alpine3.22
ENV NODE_ENV=production
WORKDIR /worker
COPY --from=packages /worker ./
# The user of the image with this number. /dev/kvm must belong to one of its groups: docker run --device /dev/kvm --group-add …
USER 1000:1000
EXPOSE 9464
# Node.js gets the signals itself, so that it can drain.
ENTRYPOINT ["node", "/worker/node_modules/@hyperlight/bullmq/bin/hyperlight-worker.js"]
