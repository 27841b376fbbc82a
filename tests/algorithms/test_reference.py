"""Reference log-probabilities are computed once and found again by content."""

import pytest

from tests.algorithms.runs import encoded
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Stopped
from training.algorithms.models import load_policy
from training.algorithms.packing import collate
from training.algorithms.reference import attach_reference, digest_folder


def attach(policy, groups, cache, *, digest="d" * 32, should_stop=lambda: False):
    return attach_reference(policy, groups, cache=cache, digest=digest, budget=200, should_stop=should_stop)


def test_what_was_computed_is_found_by_content_without_the_model(policy_folder, tmp_path):
    policy = load_policy(policy_folder)
    groups = encoded(policy.tokenizer, 6)
    first = attach(policy, groups, tmp_path)
    again = attach(policy, groups[::-1], tmp_path, should_stop=lambda: True)  # asked only where work is left
    assert [group.reference for group in again] == [group.reference for group in first][::-1]
    for group in again:
        batch = collate([group], policy.form)
        direct = sum_by_owner(policy(batch), batch.owners, 2).tolist()
        assert list(group.reference) == pytest.approx(direct, abs=1e-3)


def test_another_model_does_not_find_it(policy_folder, tmp_path):
    policy = load_policy(policy_folder)
    groups = encoded(policy.tokenizer, 2)
    attach(policy, groups, tmp_path)
    with pytest.raises(Stopped):
        attach(policy, groups, tmp_path, digest="e" * 32, should_stop=lambda: True)


def test_a_pass_that_was_stopped_keeps_what_it_had(policy_folder, tmp_path):
    policy = load_policy(policy_folder)
    groups = encoded(policy.tokenizer, 8)
    asked = iter([False, False, True])
    with pytest.raises(Stopped):
        attach(policy, groups, tmp_path, should_stop=lambda: next(asked))
    calls = []
    attach(policy, groups, tmp_path, should_stop=lambda: calls.append(1) is not None)
    fresh = []
    attach(policy, groups, tmp_path / "other", should_stop=lambda: fresh.append(1) is not None)
    assert 0 < len(calls) < len(fresh)


def test_the_digest_of_a_folder_changes_with_its_weights(policy_folder, encoder_folder):
    assert digest_folder(policy_folder) == digest_folder(policy_folder)
    assert digest_folder(policy_folder) != digest_folder(encoder_folder)
