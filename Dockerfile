# One image per service, which holds what that service needs:
#   docker build --build-arg SERVICE=content-api -t promptsales/content-api .
#   docker build --build-arg SERVICE=embedder -t promptsales/embedder .
# For a release, with what it holds written down (SBOM, provenance) and where it comes from:
#   docker buildx build --sbom=true --provenance=mode=max --build-arg VERSION=0.1.0 \
#     --build-arg REVISION="$(git rev-parse HEAD)" --build-arg SERVICE=…
# The embedder's image alone holds ONNX Runtime; the model is in its binary. No image holds an embedded engine.

# Which service. The last stage goes by it, so an unknown one ends the build.
ARG SERVICE

# What the images are made of and from. A tag may move; to build the same thing twice, name each by what its registry
# says the digest is: --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian12@sha256:…
ARG RUST_IMAGE=rust:1.95-bookworm
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# Crates leave no trace in a binary that a scanner would read: their list is Cargo.lock, in the context.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM ${RUST_IMAGE} AS build
ARG SERVICE
ARG REVISION=unknown
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    PROMPTSALES_REVISION="${REVISION}" cargo build --release --locked --package "${SERVICE:?}" --bin "${SERVICE}" \
    && install -D "target/release/${SERVICE}" /out/service

# The version and the sums are those of crates/local-runtime/src/artifact.rs.
FROM ${PYTHON_IMAGE} AS onnxruntime
RUN printf '%s\n' 'onnxruntime==1.31.1 \
    --hash=sha256:5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f \
    --hash=sha256:da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3' > /requirements.txt \
    && pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --require-hashes \
        --dest /wheel --requirement /requirements.txt \
    && python -m zipfile --extract /wheel/*.whl /wheel/out \
    && install -D /wheel/out/onnxruntime/capi/libonnxruntime.so.1.31.1 /out/libonnxruntime.so

FROM ${RUNTIME_IMAGE} AS service
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="PromptSales ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/promptsales/promptsales" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/service /service
USER 65532:65532
ENTRYPOINT ["/service"]

# One stage a service. Labels, user and entry point are those of the stage that it begins with.
FROM service AS image-content-api
FROM service AS image-sales-warehouse
FROM service AS image-mcp-gateway
FROM service AS image-embedder
COPY --from=onnxruntime /out/libonnxruntime.so /lib/libonnxruntime.so
ENV EMBEDDER_ONNXRUNTIME=/lib/libonnxruntime.so

# Last, so that it is what a build without --target makes. A name that is no stage's would be looked for in a registry:
# with the prefix none is there.
FROM image-${SERVICE} AS image
