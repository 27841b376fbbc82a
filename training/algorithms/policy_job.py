"""What each job that trains a policy on stored completions is made of: policy, data, reference, samples."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Compute, Job, Tools
from training.algorithms.models import Policy, add_lora, context_length, load_policy
from training.algorithms.options.shared import PolicyConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Data, Plan, Select, load_data
from training.algorithms.processes import is_main
from training.algorithms.reference import attach_reference, digest_folder
from training.algorithms.rollouts import Request, Sampling, sample


def prepare_policy(
    plan: Plan, tools: Tools, compute: Compute, *, select: Select, needs: str, with_reference: bool
) -> Job:
    """Load policy, data and, if wanted, reference log-probabilities; without a reference, that is the policy untrained.

    `select` and `needs` are load_data's.
    """
    model, config = load_policy(plan.model, trainable=True), plan.config
    model.to(tools.accelerator.device)
    context = context_length(model.model, model.tokenizer)
    data = load_data(plan, model.tokenizer, context=context, select=select, needs=needs)
    if with_reference:
        add_reference(plan, tools, model, data)
    if config.lora:
        add_lora(model, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed, layers=config.lora_layers)
    texts = data.test_texts[: config.samples]
    return Job(
        run=plan.run,
        model=model,
        compute=compute,
        train=data.train,
        test=data.test,
        config=config,
        tools=tools,
        report=data.report,
        sharded=config.sharded,
        keep_best=config.keep_best,
        on_eval=lambda step: write_samples(model, tools, config, texts, step),
    )


def add_reference(plan: Plan, tools: Tools, policy: Policy, data: Data) -> None:
    """Attach the reference's log-probabilities to both sets. They depend on the precision, so the cache does too."""
    source = plan.reference or plan.model
    reference = policy if source == plan.model else load_policy(source).to(policy.model.device)
    with tools.accelerator.autocast():
        groups = attach_reference(
            reference,
            [*data.train, *data.test],
            cache=plan.reference_cache,
            digest=f"{tools.accelerator.mixed_precision}-{digest_folder(source)}",
            budget=2 * plan.config.micro_batch_tokens,
            should_stop=tools.should_stop,
        )
    data.train, data.test = groups[: len(data.train)], groups[len(data.train) :]


def write_samples(model: Policy, tools: Tools, config: PolicyConfig, texts: list[Group], step: int) -> None:
    """What the policy answers, greedily, to the first held-out prompts; the main process asks."""
    if not is_main():
        return
    requests = [Request(key=group.id, prompt=group.prompt, system=group.system) for group in texts]
    sampling = Sampling(temperature=0.0, max_tokens=config.sample_tokens)
    answers = sample(model.model, model.tokenizer, requests, sampling=sampling, should_stop=tools.should_stop)
    for group, answer in zip(texts, answers, strict=False):  # fewer answers when asked to stop
        tools.events.write("sample", step, {"prompt": list(group.prompt), "text": answer.text, "tokens": answer.tokens})


def logprobs(model: nn.Module, batch: Batch) -> Tensor:
    """Log-probability of each completion, summed over its tokens: (C,) nats."""
    return sum_by_owner(model(batch), batch.owners, sum(batch.counts))


def lengths(groups: Sequence[EncodedGroup], device: torch.device) -> Tensor:
    """Tokens of each completion, (C,)."""
    return torch.tensor([len(one) for group in groups for one in group.completions], device=device)


def references(groups: Sequence[EncodedGroup], device: torch.device) -> Tensor:
    """Log-probability of each completion under the reference, (C,) nats."""
    return torch.tensor([value for group in groups for value in group.reference or ()], device=device)
