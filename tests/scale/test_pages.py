"""What the pages on clusters ship: the script run by a pretended Slurm, the Kubernetes manifest by its schema."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.faults.running import answer, write_run, wrong_rows
from tests.personas import Vllm
from tests.processes import LEMA, ended
from tests.scale.two_nodes import needs_ray
from tests.server import Server

PAGES = Path(__file__).parents[2] / "docs/scale"
SCONTROL = '#!/bin/sh\nprintf "here-1\\nhere-2\\n"\n'
SRUN = """#!/bin/sh
# every node is this machine: the words before the command are Slurm's own
while [ "${1#--}" != "$1" ]; do shift; done
exec "$@"
"""
HOSTNAME = "#!/bin/sh\necho 127.0.0.1\n"


def words(command: tuple[str, ...]) -> str:
    return " ".join(f"'{word}'" for word in command)


def test_the_script_for_slurm_is_a_script():
    done = ended(["bash", "-n", PAGES / "lema.sbatch"], check=True)
    assert not done.stderr
    text = (PAGES / "lema.sbatch").read_text()
    assert text.startswith("#!") and "#SBATCH --nodes" in text


@needs_ray()
def test_the_script_for_slurm_performs_a_run_on_the_nodes_it_is_given(tmp_path):
    tools, folder = tmp_path / "bin", Path(tempfile.mkdtemp(prefix="lr", dir="/tmp"))
    ray = (LEMA[0], "-c", "from ray.scripts.scripts import main; main()")
    written = {"bin/scontrol": SCONTROL, "bin/srun": SRUN, "bin/hostname": HOSTNAME,
               "venv/bin/lema": f'#!/bin/sh\nexec {words(LEMA)} "$@"\n',
               "venv/bin/ray": f'#!/bin/sh\nexec {words(ray)} "$@" --object-store-memory=80000000\n',
               "venv/bin/python": f'#!/bin/sh\nexec {LEMA[0]} "$@"\n'}
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    slurm = {"SLURM_JOB_NODELIST": "here-[1-2]", "SLURM_JOB_NUM_NODES": "2", "SLURM_CPUS_ON_NODE": "2",
             "SLURM_JOB_ID": folder.name, "VENV": str(tmp_path / "venv"), "RAY_PORT": "46379",
             "PATH": f"{tools}:{os.environ['PATH']}"}
    script = (PAGES / "lema.sbatch").read_text().replace("/tmp/ray-$SLURM_JOB_ID", str(folder))
    (tmp_path / "lema.sbatch").write_text(script)
    try:
        with Server(answer, persona=Vllm()) as server:
            write_run(tmp_path, server.url, 40)
            done = ended(["bash", "lema.sbatch", "lema.toml"], cwd=tmp_path, env={**os.environ, **slurm})
        assert done.returncode == 0, done.stderr[-3000:]
        assert not wrong_rows(tmp_path, 40, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


GROUP = {"rayStartParams", "template"}
FIELDS = {"spec": {"rayVersion", "headGroupSpec", "workerGroupSpecs", "enableInTreeAutoscaling"},
          "head": GROUP | {"serviceType", "headService", "enableIngress"},
          "worker": GROUP | {"groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts",
                             "idleTimeoutSeconds", "scaleStrategy"}}
"""What a ray.io/v1 RayCluster may have, of its Go types."""


@pytest.mark.skipif(importlib.util.find_spec("kubernetes_validate") is None,
                    reason="kubernetes-validate is not installed (make scale)")
def test_the_manifest_for_kubernetes_follows_its_schemas():
    import kubernetes_validate
    import yaml

    cluster, claim = yaml.safe_load_all((PAGES / "raycluster.yaml").read_text())
    kubernetes_validate.validate(claim, "1.31", strict=True)
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    spec, workers = cluster["spec"], cluster["spec"]["workerGroupSpecs"]
    assert set(spec) <= FIELDS["spec"] and set(spec["headGroupSpec"]) <= FIELDS["head"]
    for group in (spec["headGroupSpec"], *workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values()), "they are words to Ray"
        template = {"apiVersion": "v1", "kind": "PodTemplate", "template": group["template"]}
        kubernetes_validate.validate(template, "1.31", strict=True)
        mounts = {mount["name"] for mount in group["template"]["spec"]["containers"][0]["volumeMounts"]}
        assert mounts == {volume["name"] for volume in group["template"]["spec"]["volumes"]}
    for group in workers:
        assert set(group) <= FIELDS["worker"]
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    volume = spec["headGroupSpec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert volume == claim["metadata"]["name"] and claim["spec"]["accessModes"] == ["ReadWriteMany"]
