"""docker-compose.yml has the shape of the compose specification and runs what `manage.py serve` runs."""

import re

import pytest
import yaml
from django.conf import settings

from config.processes import QUEUES, beat_command, web_command, worker_command

COMPOSE = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
ENVIRONMENT = (settings.BASE_DIR / ".env.example").read_text()


def test_the_web_server_runs_the_same_command_everywhere():
    command = web_command(host="0.0.0.0", port=8000)
    dockerfile = (settings.BASE_DIR / "Dockerfile").read_text().replace("\\\n", "")
    assert SERVICES["web"]["command"] == command
    assert yaml.safe_load(re.search(r"^CMD (\[.*\])$", dockerfile, re.M)[1]) == command


@pytest.mark.parametrize("queue", QUEUES)
def test_each_worker_runs_the_same_command_and_ends_with_the_same_signal(queue):
    assert SERVICES[f"worker-{queue}"]["command"] == worker_command(queue)
    assert SERVICES[f"worker-{queue}"]["stop_signal"] == "SIGQUIT"


def test_the_clock_runs_the_same_command():
    assert SERVICES["beat"]["command"] == beat_command()


@pytest.mark.parametrize("name", ["worker-inference-gpu", "worker-chat-gpu", "worker-training-gpu"])
def test_gpu_workers_run_only_under_their_profile_and_reserve_a_device(name):
    devices = SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
    assert SERVICES[name]["profiles"] == ["gpu"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    assert SERVICES[name]["command"] == SERVICES[name.removesuffix("-gpu")]["command"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_says_where_it_comes_from_restarts_and_is_watched(name):
    service = SERVICES[name]
    known = {
        "build",
        "image",
        "command",
        "environment",
        "env_file",
        "volumes",
        "restart",
        "init",
        "depends_on",
        "ports",
    }
    known |= {"healthcheck", "profiles", "deploy", "expose", "stop_signal", "stop_grace_period", "shm_size"}
    assert set(service) <= known
    assert service["image"]
    assert service["restart"] in ("unless-stopped", "on-failure")
    # web has the image's own healthcheck
    assert "healthcheck" in service or name == "web"
    assert all(isinstance(part, str) for part in service.get("command", []))


def test_services_depend_on_services_and_mount_volumes_that_exist():
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], f"{name} mounts {source}"


def test_web_and_workers_share_uploads_and_artifacts():
    sharing = [name for name, service in SERVICES.items() if "data:/data" in service.get("volumes", [])]
    assert {"web", "worker-default", "worker-inference", "worker-chat", "worker-training"} <= set(sharing)


def test_only_the_proxy_is_reachable_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_the_container_runs_as_a_user_of_its_own():
    lines = (settings.BASE_DIR / "Dockerfile").read_text().splitlines()
    assert "USER plumbline" in lines
    assert lines.index("USER plumbline") < next(i for i, line in enumerate(lines) if line.startswith("CMD"))
    assert any(line.startswith("RUN useradd --uid 10001 ") for line in lines)


def test_every_variable_that_is_read_is_documented():
    readers = ("config/settings.py", "config/embedded.py", "training/algorithms/rollout_server.py")
    source = "".join((settings.BASE_DIR / name).read_text() for name in readers)
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    read = set(re.findall(r'(?:env\.\w+|required_in_production|environ\.get)\(\s*"([A-Z_]+)"', source))
    read |= set(re.findall(r"\$\{([A-Z_]+)", compose))
    documented = set(re.findall(r"^#?([A-Z_]+)=", ENVIRONMENT, re.M))
    assert read - documented == set()
    assert documented - read == set()
