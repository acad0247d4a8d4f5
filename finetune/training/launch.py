r"""Runs a training job in this process or, started by accelerate, in several that share each step.

    python -m finetune.training.launch JOB                                                  # this process alone
    accelerate launch --num_processes 4 -m finetune.training.launch JOB                     # DDP: four GPUs, each with a model
    accelerate launch --num_processes 4 --use_fsdp --fsdp_version 2 \
        --fsdp_auto_wrap_policy TRANSFORMER_BASED_WRAP \
        --fsdp_state_dict_type FULL_STATE_DICT -m finetune.training.launch JOB               # FSDP: one model over four GPUs
    accelerate launch --num_machines 2 --num_processes 8 --machine_rank 0 \
        --main_process_ip HOST --main_process_port 29500 -m finetune.training.launch JOB    # on each machine, with its rank
    torchrun --standalone --nproc_per_node 2 -m finetune.training.launch JOB                # two processes without a GPU

JOB is a folder that `finetune.training.job.write_job` wrote, on a disk that all processes see. `settings.sheets` counts over all
processes, so that any number of them that divides it trains the same adapter, up to rounding, dropout, and sheets that are
read twice at the end of an epoch so that no process waits. Over FSDP, the adapter has the base's arithmetic, because shards
are of one: prefer DDP for what fits into one GPU.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from accelerate import PartialState
from rich.console import Console

from bot.errors import GenerationError
from finetune.errors import TrainingError
from finetune.training.callbacks import Progress
from finetune.training.job import run_job

_screen = Console(stderr=True)


def main() -> None:
    """Train, and say how it goes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("job", type=Path, help="a folder that write_job wrote")
    chosen = parser.parse_args()
    try:
        report = run_job(chosen.job, _tell)
    except (TrainingError, GenerationError) as error:
        raise SystemExit(str(error)) from error
    if PartialState().is_main_process:
        _screen.print(f"{report.folder}: {dict(report.metrics)}")


def _tell(progress: Progress) -> None:
    held = "" if progress.validation_loss is None else f"  validation {progress.validation_loss:.3f}"
    _screen.print(
        f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}{held}  "
        f"{progress.tokens_per_second:.0f} tokens/s  {progress.seconds_left / 60:.0f} min left"
    )


if __name__ == "__main__":
    main()
