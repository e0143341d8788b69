# One image for every process: which one it is, and on which engine, is the command's and the environment's word.
#   docker build -t orderstream .                                  the embedded engine
#   docker build -t orderstream --build-arg REQUIREMENTS=kcl .     with Amazon's KCL and its Java as well
# `make pin-images` adds the digest.
ARG BASE=python:3.11.11-slim-bookworm

FROM ${BASE} AS build
ARG REQUIREMENTS=image
WORKDIR /src
RUN python -m pip install --no-cache-dir uv==0.13.9 && uv venv /opt/orderstream
COPY requirements-${REQUIREMENTS}.lock ./
# Compiled here: uv leaves it out unless it is told, and the image's user cannot write into /opt.
RUN uv pip install --no-cache --compile-bytecode --python /opt/orderstream --require-hashes -r requirements-${REQUIREMENTS}.lock
COPY pyproject.toml ./
COPY producers producers
COPY consumers consumers
RUN uv pip install --no-cache --compile-bytecode --python /opt/orderstream --no-deps \
    ./producers/sdk ./producers/orders ./consumers/library ./consumers/workers

FROM ${BASE}
COPY --from=build /opt/orderstream /opt/orderstream
RUN useradd --create-home --uid 10001 --user-group orderstream && install -d -o orderstream -g orderstream /data
ENV PATH=/opt/orderstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORDERSTREAM_HEALTH_PORT=8080 \
    ORDERSTREAM_HEALTH_HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
EXPOSE 8080
# The exec form: SIGTERM reaches the process itself, which drains.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s CMD ["python", "-m", "orderstream_workers.probe"]
CMD ["orderstream", "worker", "saga"]
