# syntax=docker/dockerfile:1

# The backend in one image: docker build -t effect-chatbot . && docker run -p 8080:8080 -v chatbot:/data effect-chatbot

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/schema/package.json packages/schema/
COPY packages/api/package.json packages/api/
COPY packages/server/package.json packages/server/
# The packages find the one `effect` there, which is a peer of them.
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --prod --no-optional --public-hoist-pattern=effect --filter "@effect-chatbot/server..."

FROM node:24-slim
ENV NODE_ENV=production \
    CHATBOT_HOST=0.0.0.0 \
    CHATBOT_PORT=8080 \
    CHATBOT_DATA_DIR=/data \
    CHATBOT_LOG_FORMAT=json
WORKDIR /app
RUN install -d -o node -g node -m 0700 /data
COPY --from=dependencies /app ./
COPY packages/schema/src packages/schema/src
COPY packages/api/src packages/api/src
COPY packages/server/src packages/server/src
COPY packages/server/bots packages/server/bots
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CHATBOT_PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "packages/server/src/main.ts"]
