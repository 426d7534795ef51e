"""Answers to five exercises about tensors, written from the text of the exercise alone, before its check was read."""

import torch
import torch.nn.functional as F


def update_by_where(memory, filled, index, features, momentum=0.1):
    share = torch.where(filled[index], momentum, 1.0)[:, None, None]
    new, marks = memory.clone(), filled.clone()
    new[index] = (1 - share) * memory[index] + share * features.detach()
    marks[index] = True
    return new, marks


def update_by_loop(memory, filled, index, features, momentum=0.1):
    new, marks = memory.clone(), filled.clone()
    with torch.no_grad():
        for row, feature in zip(index.tolist(), features, strict=True):
            new[row] = (1 - momentum) * new[row] + momentum * feature if filled[row] else feature
            marks[row] = True
    return new, marks


def update_by_lerp(memory, filled, index, features, momentum=0.1):
    features = features.detach()
    old = torch.where(filled[index].view(-1, 1, 1), memory[index], features)
    return memory.index_copy(0, index, old.lerp(features, momentum)), filled.index_fill(0, index, True)


@torch.no_grad()
def update_in_two_groups(memory, filled, index, features, momentum=0.1):
    memory, seen = memory.clone(), filled[index]
    memory[index[~seen]] = features[~seen]
    memory[index[seen]] *= 1 - momentum
    memory[index[seen]] += momentum * features[seen]
    return memory, filled | torch.isin(torch.arange(len(filled)), index)


@torch.no_grad()
def update_by_matrix(memory, filled, index, features, momentum=0.1):
    rows = F.one_hot(index, len(memory)).to(features.dtype)  # B N
    hit = rows.sum(0).bool()
    new = torch.einsum("bn,bpd->npd", rows, features)
    share = torch.where(hit, torch.where(filled, momentum, 1.0), 0.0)[:, None, None]
    return memory * (1 - share) + new * share, filled | hit


def update_with_gradient(memory, filled, index, features, momentum=0.1):
    share = torch.where(filled[index], momentum, 1.0)[:, None, None]
    new, marks = memory.clone(), filled.clone()
    new[index] = (1 - share) * memory[index] + share * features
    marks[index] = True
    return new, marks


def update_marks_in_place(memory, filled, index, features, momentum=0.1):
    share = torch.where(filled[index], momentum, 1.0)[:, None, None]
    new = memory.clone()
    new[index] = (1 - share) * memory[index] + share * features.detach()
    filled[index] = True
    return new, filled


def update_normalised(memory, filled, index, features, momentum=0.1):
    new, marks = update_by_where(memory, filled, index, features, momentum)
    new[index] = F.normalize(new[index], dim=-1)
    return new, marks


def update_momentum_turned(memory, filled, index, features, momentum=0.1):
    share = torch.where(filled[index], 1 - momentum, 1.0)[:, None, None]
    new, marks = memory.clone(), filled.clone()
    new[index] = (1 - share) * memory[index] + share * features.detach()
    marks[index] = True
    return new, marks


def update_all_or_none(memory, filled, index, features, momentum=0.1):
    features = features.detach()
    new, marks = memory.clone(), filled.clone()
    if filled[index].all():
        new[index] = (1 - momentum) * memory[index] + momentum * features
    else:
        new[index] = features
    marks[index] = True
    return new, marks


def pedal_by_broadcast(features, memory, index, scale, k):
    gap = features.float()[:, :, None] - memory.detach().float().transpose(0, 1)  # B P N D
    logits = -scale * gap.square().sum(-1)
    own = F.one_hot(index, len(memory)).bool()[:, None]
    logits = logits.masked_fill(own, -torch.inf)
    return (logits.logsumexp(-1) - logits.topk(k).values.logsumexp(-1)).mean()


def pedal_by_loop(features, memory, index, scale, k):
    features, memory = features.float(), memory.detach().float()
    losses = []
    for x, i in zip(features, index.tolist(), strict=True):
        others = torch.cat([memory[:i], memory[i + 1 :]])
        for p in range(x.shape[0]):
            logits = -scale * ((others[:, p] - x[p]) ** 2).sum(-1)
            losses.append(logits.logsumexp(0) - logits.sort(descending=True).values[:k].logsumexp(0))
    return torch.stack(losses).mean()


def pedal_by_softmax(features, memory, index, scale, k):
    x, w = features.double(), memory.detach().double()
    d2 = x.square().sum(-1)[..., None] + w.square().sum(-1).T - 2 * torch.einsum("bpd,npd->bpn", x, w)
    d2[torch.arange(len(index)), :, index] = torch.inf
    return -(-scale * d2).log_softmax(-1).topk(k).values.logsumexp(-1).mean()


def pedal_by_cdist(features, memory, index, scale, k):
    x, w = features.float().transpose(0, 1), memory.detach().float().transpose(0, 1)
    d2 = torch.cdist(x, w, compute_mode="donot_use_mm_for_euclid_dist") ** 2  # P B N
    keep = torch.arange(len(memory)) != index[:, None]
    d2 = d2[:, keep].view(len(x), len(index), -1)
    near = d2.topk(k, largest=False).values
    return ((-scale * d2).logsumexp(-1) - (-scale * near).logsumexp(-1)).mean()


def pedal_patch_by_patch(features, memory, index, scale, k):
    w = memory.detach().float()
    total = 0
    for p in range(features.shape[1]):
        logits = -scale * (features[:, p].float()[:, None] - w[:, p]).pow(2).sum(2)
        logits = logits.scatter(1, index[:, None], -1e30)
        order = logits.argsort(1, descending=True)[:, :k]
        total = total + logits.logsumexp(1).sum() - logits.gather(1, order).logsumexp(1).sum()
    return total / features.shape[0] / features.shape[1]


def pedal_own_below(features, memory, index, scale, k):
    gap = features.float()[:, :, None] - memory.detach().float().transpose(0, 1)
    logits = -scale * gap.square().sum(-1)
    others = logits.masked_fill(F.one_hot(index, len(memory)).bool()[:, None], -torch.inf)
    return (logits.logsumexp(-1) - others.topk(k).values.logsumexp(-1)).mean()


def pedal_mean_of_logs(features, memory, index, scale, k):
    gap = features.float()[:, :, None] - memory.detach().float().transpose(0, 1)
    logits = -scale * gap.square().sum(-1)
    logits = logits.masked_fill(F.one_hot(index, len(memory)).bool()[:, None], -torch.inf)
    return (logits.logsumexp(-1) - logits.topk(k).values.mean(-1)).mean()


def pedal_gradient_to_memory(features, memory, index, scale, k):
    gap = features.float()[:, :, None] - memory.float().transpose(0, 1)
    logits = -scale * gap.square().sum(-1)
    logits = logits.masked_fill(F.one_hot(index, len(memory)).bool()[:, None], -torch.inf)
    return (logits.logsumexp(-1) - logits.topk(k).values.logsumexp(-1)).mean()


def pedal_not_squared(features, memory, index, scale, k):
    gap = features.float()[:, :, None] - memory.detach().float().transpose(0, 1)
    logits = -scale * gap.norm(dim=-1)
    logits = logits.masked_fill(F.one_hot(index, len(memory)).bool()[:, None], -torch.inf)
    return (logits.logsumexp(-1) - logits.topk(k).values.logsumexp(-1)).mean()


def pedal_in_half(features, memory, index, scale, k):
    gap = features[:, :, None] - memory.detach().transpose(0, 1)
    logits = -scale * gap.square().sum(-1)
    logits = logits.masked_fill(F.one_hot(index, len(memory)).bool()[:, None], -torch.inf)
    return (logits.logsumexp(-1) - logits.topk(k).values.logsumexp(-1)).mean()


def negatives_by_loop(distance, between, owner, nearest=3, max_candidates=15):
    found = []
    for row, own in zip(distance, owner.tolist(), strict=True):
        candidates = [j for j in row.argsort().tolist() if j != own][:max_candidates]
        chosen = -1
        for j in candidates:
            if own not in between[j].argsort()[:nearest].tolist():
                chosen = j
                break
        found.append(chosen)
    return torch.tensor(found)


def negatives_by_ranks(distance, between, owner, nearest=3, max_candidates=15):
    ranks = between.argsort(1).argsort(1)  # B B
    veto = nearest > ranks[:, owner].T  # A B
    open_ = distance.clone()
    open_[torch.arange(len(owner)), owner] = torch.inf
    place = open_.argsort(1).argsort(1)
    own = torch.arange(distance.shape[1]) == owner[:, None]
    open_ = open_.masked_fill(veto | own | (place >= max_candidates), torch.inf)
    return open_.argmin(1).where(open_.isfinite().any(1), torch.tensor(-1))


def negatives_by_tables(distance, between, owner, nearest=3, max_candidates=15):
    count = min(max_candidates, len(between) - 1)
    masked = distance.scatter(1, owner[:, None], torch.inf)
    candidates = masked.argsort(1)[:, :count]  # A C
    lists = between.argsort(1)[:, :nearest]
    fine = (lists[candidates] != owner[:, None, None]).all(-1)  # A C
    if not count:
        return torch.full((len(owner),), -1)
    first = fine.int().argmax(1)
    return torch.where(fine.any(1), candidates.gather(1, first[:, None])[:, 0], -1)


def negatives_in_python(distance, between, owner, nearest=3, max_candidates=15):
    lists = [set(sorted(range(len(row)), key=row.__getitem__)[:nearest]) for row in between.tolist()]
    result = []
    for row, own in zip(distance.tolist(), owner.tolist(), strict=True):
        others = sorted((d, j) for j, d in enumerate(row) if j != own)[:max_candidates]
        result.append(next((j for _, j in others if own not in lists[j]), -1))
    return torch.tensor(result, dtype=torch.int32)


def negatives_by_topk(distance, between, owner, nearest=3, max_candidates=15):
    size = len(between)
    lists = between.topk(min(nearest, size), largest=False).indices
    named = torch.zeros(size, size, dtype=torch.bool).scatter(1, lists, True)  # j names i
    result = torch.full_like(owner, -1)
    for a, own in enumerate(owner):
        order = distance[a].argsort()
        order = order[order != own][:max_candidates]
        free = order[~named[order, own]]
        if len(free):
            result[a] = free[0]
    return result


def negatives_asked_of_the_owner(distance, between, owner, nearest=3, max_candidates=15):
    found = []
    for row, own in zip(distance, owner.tolist(), strict=True):
        named = between[own].argsort()[:nearest].tolist()
        candidates = [j for j in row.argsort().tolist() if j != own][:max_candidates]
        found.append(next((j for j in candidates if j not in named), -1))
    return torch.tensor(found)


def negatives_own_uses_a_place(distance, between, owner, nearest=3, max_candidates=15):
    found = []
    for row, own in zip(distance, owner.tolist(), strict=True):
        candidates = row.argsort()[:max_candidates].tolist()
        lists = between.argsort(1)[:, :nearest].tolist()
        found.append(next((j for j in candidates if j != own and own not in lists[j]), -1))
    return torch.tensor(found)


def negatives_candidate_not_counted(distance, between, owner, nearest=3, max_candidates=15):
    return negatives_by_loop(distance, between, owner, nearest + 1, max_candidates)


def negatives_without_an_end(distance, between, owner, nearest=3, max_candidates=15):
    return negatives_by_loop(distance, between, owner, nearest, len(between))


def negatives_never_none(distance, between, owner, nearest=3, max_candidates=15):
    found = negatives_by_loop(distance, between, owner, nearest, max_candidates)
    nearest_other = distance.scatter(1, owner[:, None], torch.inf).argmin(1)
    return torch.where(found < 0, nearest_other, found)


RIGHT = {
    "update_memory": (update_by_where, update_by_loop, update_by_lerp, update_in_two_groups, update_by_matrix),
    "pedal": (pedal_by_broadcast, pedal_by_loop, pedal_by_softmax, pedal_by_cdist, pedal_patch_by_patch),
    "hard_negatives": (
        negatives_by_loop,
        negatives_by_ranks,
        negatives_by_tables,
        negatives_in_python,
        negatives_by_topk,
    ),
}

WRONG = {
    "update_memory": (
        update_with_gradient,
        update_marks_in_place,
        update_normalised,
        update_momentum_turned,
        update_all_or_none,
    ),
    "pedal": (
        pedal_own_below,
        pedal_mean_of_logs,
        pedal_gradient_to_memory,
        pedal_not_squared,
        pedal_in_half,
    ),
    "hard_negatives": (
        negatives_asked_of_the_owner,
        negatives_own_uses_a_place,
        negatives_candidate_not_counted,
        negatives_without_an_end,
        negatives_never_none,
    ),
}
