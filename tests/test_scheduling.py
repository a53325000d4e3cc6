"""What docs/scheduling.md shows can be run as it stands: by a shell, by a parser, with stand-ins for the schedulers."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml
from papermill.cli import papermill

from analysis.report import batch, monitor, outcome
from analysis.report.batch import Batch, campaign_files, run_all
from analysis.report.cli import main
from analysis.report.outcome import Outcome
from analysis.report.run import Job
from tests.report.small_campaign import write_campaign
from tests.report.stand_in import finished, without_process

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "scheduling.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
BARE = {"HOME": "/nowhere", "LOGNAME": "campaigns", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}   # as cron gives it
VARIABLE = re.compile(r"\$\(\(.*?\)\)|\$\{\{.*?\}\}|\$\w+")


def blocks(language, of=""):
    return [block for name, block in BLOCKS if name == language and of in block]


def test_every_block_is_of_a_kind_that_is_tried_here():
    assert {name for name, _ in BLOCKS} == {"sh", "cron", "ini", "python", "yaml"}


def test_every_command_is_one_that_the_program_knows():
    lines = re.findall(r"\bcampaign ((?:run|render|monitor) [^`\n>]+)", TEXT)
    assert len(lines) > 10
    for line in lines:
        words = re.sub("[\"']", "", VARIABLE.sub("1", line)).rstrip(")] ").split()
        main.commands[words[0]].make_context(words[0], words[1:])   # click.UsageError if it knows them not


def test_every_option_for_many_campaigns_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8").split("## What a run leaves")[1].split("\n## ")[0]
    options = {name for option in main.commands["run"].params for name in option.opts if name.startswith("--")}
    assert set(re.findall(r"--[a-z][a-z-]+", readme.split("For many campaigns")[1])) == options - {"--out", "--set"}
    assert {"--out", "--set"} < set(re.findall(r"--[a-z][a-z-]+", readme))


def test_every_code_is_told():
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert told == {0, *outcome.CODES.values(), *monitor.CODES.values()}
    kinds = [outcome.worst([75, 2, 3]), outcome.worst([75, 2]), outcome.worst([75, 0])]
    assert kinds == [3, 2, 75] and "3 before 2 before 75" in " ".join(TEXT.split())


# --- shells ---

@pytest.fixture
def server(tmp_path):
    """/srv/campaigns with a command that says its words and the password, and ends with the code in a file."""
    command = tmp_path / ".venv/bin/campaign"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\necho "$@ $SHOP_DB_PASSWORD"\nexit $(cat code)\n')
    command.chmod(0o755)
    (tmp_path / "db.env").write_text("export SHOP_DB_PASSWORD=hush\n")
    (tmp_path / "code").write_text("0")
    return tmp_path


def shell(script, folder, **environment):
    return subprocess.run(["/bin/sh", "-c", script.replace("/srv/campaigns", str(folder))], cwd="/", text=True,
                          capture_output=True, env=BARE | environment, check=False)


def test_lines_of_cron_run_with_what_cron_gives_them_and_say_nothing_when_all_is_well(server):
    (block,) = blocks("cron")
    lines = [line for line in block.splitlines() if re.match(r"[\d*]", line)]
    assert len(lines) == 2 and "%" not in block
    for line in lines:
        *moment, command = line.split(maxsplit=5)
        assert all(re.fullmatch(r"\*|\d+(-\d+)?", part) for part in moment)
        (server / "code").write_text("0")
        done = shell(command, server)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        (server / "code").write_text("3")
        done = shell(command, server)
        assert done.stdout.startswith("run params") and "hush" in done.stdout   # goes to MAILTO
    assert {path.name for path in server.glob("*.log")} == {"night.log", "again.log"}


def test_parts_of_kubernetes_are_counted_from_one(server):
    (job,) = [yaml.safe_load(block) for block in blocks("yaml", "kind: Job")]
    spec, (container,) = job["spec"], job["spec"]["template"]["spec"]["containers"]
    assert container["command"][:2] == ["sh", "-c"] and spec["completionMode"] == "Indexed"
    said = [shell(f"cd /srv/campaigns && PATH=.venv/bin:$PATH\n{container['command'][2]}", server,
                  JOB_COMPLETION_INDEX=str(i)).stdout.split() for i in range(spec["completions"])]
    assert [words[-1] for words in said] == ["1/3", "2/3", "3/3"]
    index, node = spec["podFailurePolicy"]["rules"]
    assert (index["action"], node["action"]) == ("FailIndex", "Ignore")
    assert spec["template"]["spec"]["restartPolicy"] == "Never" and spec["backoffLimitPerIndex"] == 3
    assert index["onExitCodes"]["values"] == [2, 3] and index["onExitCodes"]["containerName"] == container["name"]
    volumes = {volume["name"] for volume in spec["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


@pytest.mark.parametrize(("code", "restarts", "again"), [
    (0, "", False), (3, "", False), (75, "", True), (75, "3", False)])
def test_the_script_of_slurm_puts_itself_back_for_a_while(server, code, restarts, again):
    (script,) = blocks("sh", "SBATCH")
    (server / "code").write_text(str(code))
    (server / "scontrol").write_text(f"#!/bin/sh\necho \"$@\" >{server}/requeued\n")
    (server / "scontrol").chmod(0o755)
    task = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_JOB_ID": "71",
            "SLURM_CPUS_PER_TASK": "2", "PATH": f"{server}:/usr/bin:/bin"}
    done = shell(script, server, **task, **({"SLURM_RESTART_COUNT": restarts} if restarts else {}))
    assert done.returncode == code and "--jobs 2 --shard 2/3" in done.stdout and not done.stderr
    requeued = server / "requeued"
    assert requeued.exists() == again and (not again or requeued.read_text() == "requeue 71_2\n")


def test_papermill_takes_its_lines_and_the_languages_asked_for_are_those_they_run_in():
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines() if line.startswith("papermill")]
    assert len(lines) == 3
    said = [papermill.make_context("papermill", words[1:]).params for words in lines]
    assert all((ROOT / each["notebook_path"]).is_file() for each in said)
    assert [yaml.safe_load(text)["overrides"]["languages"] for each in said for text in each["parameters_yaml"]] == [
        ["en"], ["zh"]]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_units(server):
    for name, block in zip(("campaigns.service", "campaigns.timer"), blocks("ini"), strict=True):
        (server / name).write_text(block.replace("/srv/campaigns", str(server)).replace("User=campaigns\n", ""))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", name], cwd=server, capture_output=True,
                              text=True, check=False)
        assert (done.returncode, [line for line in done.stderr.splitlines() if "campaigns" in line]) == (0, [])
    parsed = configparser.ConfigParser()
    parsed.read_string(blocks("ini")[1])
    assert subprocess.run(["systemd-analyze", "calendar", parsed["Timer"]["OnCalendar"]], capture_output=True,
                          check=False).returncode == 0


def test_gitlab_tries_again_after_75_alone():
    (job,) = [yaml.safe_load(block)["reports"] for block in blocks("yaml", "CI_NODE")]
    assert job["retry"] == {"max": 2, "exit_codes": [75]} and job["script"][0].endswith("$CI_NODE_INDEX/$CI_NODE_TOTAL")


# --- parts ---

def test_three_parts_are_all_campaigns_and_editions_stay_together(tmp_path, monkeypatch):
    jobs = [Job(path, tmp_path) for path in campaign_files([ROOT / "params"])]
    parts = []
    monkeypatch.setattr(batch, "write_index", lambda out: None)
    monkeypatch.setattr(batch, "run_batch", lambda part, *_, **__: parts.append(part) or [
        Outcome(job.params.stem, 0, "") for job in part])
    for i in (1, 2, 3):
        assert run_all(jobs, Batch(shard=(i, 3)), lambda _: None) == 0
    assert sorted(job.params for part in parts for job in part) == sorted(job.params for job in jobs)
    with_editions = [part for part in parts if any("grocer" in job.params.stem for job in part)]
    assert len(parts) == 3 and len(with_editions) == 1


# --- Python ---

AIRFLOW = {   # the arguments of each operator, of Airflow 3 and its providers; all take those of a task
    "BashOperator": {"bash_command", "env", "append_env", "output_encoding", "skip_on_exit_code", "cwd",
                     "output_processor"},
    "PapermillOperator": {"input_nb", "output_nb", "parameters", "kernel_name", "language_name", "kernel_conn_id",
                          "log_output", "nbconvert", "nbconvert_args"},
}
TASK = {"task_id", "retries", "retry_delay", "trigger_rule"}


class Dag:
    """Stands in for Airflow's."""

    def __init__(self, name, *, schedule, start_date, catchup):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def airflow(monkeypatch):
    """Modules that stand in for Airflow's: what operators were made, and functions of tasks."""
    made = []

    class Made(SimpleNamespace):
        def __rshift__(self, other):
            return other

    def operator(name):
        def make(**said):
            assert {*said} <= AIRFLOW[name] | TASK, said
            made.append(Made(operator=name, **said))
            return made[-1]
        return make

    def task(**said):
        assert {*said} <= TASK
        return lambda function: lambda: made.append(Made(function=function, **said)) or made[-1]

    errors = {name: type(name, (Exception,), {}) for name in ("AirflowException", "AirflowFailException")}
    bash, papermill_ = (operator(name) for name in AIRFLOW)
    for name, members in {
            "airflow": {}, "airflow.exceptions": errors, "airflow.sdk": {"DAG": Dag, "task": task},
            "airflow.providers.standard.operators.bash": {"BashOperator": bash},
            "airflow.providers.papermill.operators.papermill": {"PapermillOperator": papermill_}}.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return made, errors


def test_airflow_tries_again_after_75_alone(airflow, server):
    made, errors = airflow
    (block,) = blocks("python", "AirflowFailException")
    exec(block.replace("/srv/campaigns", str(server)), {})
    watch, reports = made
    assert (watch.skip_on_exit_code, watch.cwd) == (75, str(server)) and reports.retries == 3
    for code, error in ((0, None), (75, errors["AirflowException"]), (2, errors["AirflowFailException"]),
                        (3, errors["AirflowFailException"])):
        (server / "code").write_text(str(code))
        if error:
            with pytest.raises(error):
                reports.function()
        else:
            reports.function()


def test_airflow_renders_the_notebook_that_it_ran(airflow):
    made, _ = airflow
    exec(blocks("python", "PapermillOperator")[0], {})
    notebook, report = made
    words = shlex.split(report.bash_command)[1:]
    params = main.commands["render"].make_context("render", words[1:]).params
    assert [os.path.join(report.cwd, path) for path in params["notebooks"]] == [notebook.output_nb]
    assert set(notebook.parameters) == {"params_file"} and notebook.input_nb == f"{report.cwd}/notebooks/review.ipynb"


def test_dask_makes_the_reports_of_a_folder(tmp_path, monkeypatch):
    write_campaign(tmp_path)
    monkeypatch.chdir(tmp_path)
    without_process(monkeypatch, lambda params, output, overrides, tell, timing, notebook, *_: finished(
        params, output, overrides, notebook))

    class Client(ThreadPoolExecutor):
        def __init__(self, address):
            super().__init__(1)

        def get_executor(self, *, pure):
            assert pure is False
            return self

    monkeypatch.setitem(sys.modules, "dask.distributed", SimpleNamespace(Client=Client))
    (block,) = blocks("python", "dask")
    known: dict[str, object] = {}
    exec(block, known)
    assert [each.code for each in known["outcomes"]] == [0]
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"spring", "index.html", "index.json"}
