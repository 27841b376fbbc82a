"""Direct preference optimisation (Rafailov et al. 2023), with the reference's log-probabilities computed once."""

from collections.abc import Sequence

import torch

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import dpo, smooth
from training.algorithms.models import Policy, add_lora, context_length, load_policy
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Data, Plan, load_data
from training.algorithms.preferences import accuracy, read_preferences
from training.algorithms.reference import attach_reference, digest_folder
from training.algorithms.rollouts import Request, Sampling, sample


def prepare(plan: Plan, tools: Tools) -> Job:
    """Load policy, data and reference log-probabilities; without a reference, that is the policy untrained."""
    model, config = load_policy(plan.model, trainable=True), plan.config
    model.to(tools.accelerator.device)
    data = load_data(plan, model.tokenizer, context=context_length(model.model, model.tokenizer))
    add_reference(plan, tools, model, data)
    if config.lora:
        add_lora(model, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed)
    texts = data.test_texts[: config.samples]
    return Job(
        run=plan.run,
        model=model,
        compute=outcome,
        train=data.train,
        test=data.test,
        config=config,
        tools=tools,
        report=data.report,
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


def write_samples(model: Policy, tools: Tools, config: DPOConfig, texts: list[Group], step: int) -> None:
    """What the policy answers, greedily, to the first held-out prompts."""
    requests = [Request(key=group.id, prompt=group.prompt, system=group.system) for group in texts]
    sampling = Sampling(temperature=0.0, max_tokens=config.sample_tokens)
    answers = sample(model.model, model.tokenizer, requests, sampling=sampling, should_stop=tools.should_stop)
    for group, answer in zip(texts, answers, strict=False):  # fewer answers when asked to stop
        tools.events.write("sample", step, {"prompt": list(group.prompt), "text": answer.text, "tokens": answer.tokens})


def outcome(model: Policy, batch: Batch, groups: Sequence[EncodedGroup], config: DPOConfig) -> Outcome:
    """Loss and facts of each group; the groups carry their reference log-probabilities.

    Facts: the implicit rewards β·drift of both sides and their gap (TRL's names), the log-probabilities, and the drift
    of each side from the reference, nats a completion: the gap can grow while both sides become less likely.
    """
    values = model(batch)
    policy = sum_by_owner(values, batch.owners, sum(batch.counts))
    reference = torch.tensor([value for group in groups for value in group.reference or ()], device=policy.device)
    drift = policy - reference
    said = read_preferences(groups, config, policy.device)
    chosen, rejected = drift[said.chosen], drift[said.rejected]
    target = smooth(said.target, rate=config.label_smoothing)
    losses = dpo(chosen, rejected, beta=config.beta, target=target, margin=said.margin)
    logps, chosen, rejected = policy.detach(), chosen.detach(), rejected.detach()
    right = accuracy(chosen - rejected, said.is_pair)
    facts = {
        "accuracy": right,
        "margin": config.beta * (chosen - rejected),
        "rewards/chosen": config.beta * chosen,
        "rewards/rejected": config.beta * rejected,
        "rewards/margins": config.beta * (chosen - rejected),
        "rewards/accuracies": right,
        "logps/chosen": logps[said.chosen],
        "logps/rejected": logps[said.rejected],
        "drift/chosen": chosen,
        "drift/rejected": rejected,
    }
    return Outcome(losses, facts)
