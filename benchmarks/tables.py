"""The results of the benchmark as tables in Markdown."""


def row(case, seconds, rate):
    """Return the record of a measured case; `rate` is the machine's peak."""
    ours = seconds["ours"]
    return {
        "stage": case.stage,
        "shape": case.shape,
        "milliseconds": round(1000 * ours, 3),
        "share_of_bound": round(seconds["bound"] / ours, 3) if case.bound else None,
        "share_of_peak": round(case.flops / ours / rate, 3) if case.bound else None,
        "ratio_to": {name: round(seconds[name] / ours, 2) for name in case.peers},
    }


def percent(share):
    return "" if share is None else f"{100 * share:.0f} %"


def ratios(row):
    return ", ".join(f"{name} {ratio:.2f}" for name, ratio in row["ratio_to"].items())


def lines(rows):
    """Return the lines of a table of all that was measured on one kind of kernels."""
    table = ["| stage | size | ms | of bound | of peak | time of the peer over ours |", "|---|---|---|---|---|---|"]
    for r in rows:
        shares = f"{percent(r['share_of_bound'])} | {percent(r['share_of_peak'])}"
        table.append(f"| {r['stage']} | {r['shape']} | {r['milliseconds']:.1f} | {shares} | {ratios(r)} |")
    return table


def kernels(run):
    """Return whose kernels a run was on in a few words, such as ``SkylakeX (AVX-512)``; on a GPU, which that is."""
    device = run["machine"]["device"]
    return f"{run['kernels']} ({run['instructions']})" if device == "cpu" else device


def heading(run):
    """Return the kernels of a run and, if there is more than one, its threads."""
    threads = run["machine"]["threads"]
    return kernels(run) + (f", {threads} threads" if threads > 1 else "")


def peer(run, name):
    """Return the rate of a peer's products and the instructions of its own loops, where it names them."""
    instructions = run["peer_instructions"].get(name)
    return f"{name} {run['peer_peak_gflops'][name]:.0f} GFLOP/s" + (f" ({instructions})" if instructions else "")


def description(run):
    """Return on what a run was measured, in a paragraph."""
    about = run["machine"]
    where = f"{about['processor']}, {about['threads']} of {about['cores']} cores"
    if about["device"] != "cpu":
        where += f", device {about['device']}, {run['peak_gflops']:.0f} GFLOP/s at 2048³"
    else:
        where += f"; kernels {kernels(run)} of {run['library']}, {run['peak_gflops']:.0f} GFLOP/s at 2048³"
    said = [where]
    if run["restricted_by"]:
        said.append("restricted by " + ", ".join(f"{name}={value}" for name, value in run["restricted_by"].items()))
    if run["peer_peak_gflops"]:
        said.append("the peers' products: " + ", ".join(peer(run, name) for name in run["peer_peak_gflops"]))
    said.append(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    said += [f"{name} is left out: {reason}" for name, reason in run["left_out"].items()]
    return "; ".join(said) + f". {run['date']}.\n"


def report(record):
    """Return everything of a record: a section for each kind of kernels, and the views."""
    sections = [f"# {heading(run)}\n\n{description(run)}\n" + "\n".join(lines(run["rows"])) for run in record["runs"]]
    if "views" in record:
        sections.append(f"# Views of a PyTorch module\n\n{views(record['views'])}")
    return "\n\n".join(sections) + "\n"


def summary(record):
    """Return the shares of the bound and the ratios of all kinds of kernels side by side, and the views."""
    runs = record["runs"]
    table = [
        "| stage | size | " + " | ".join(f"of the bound, {heading(run)} | times as fast as" for run in runs) + " |"
    ]
    table.append("|---|---|" + "---|---|" * len(runs))
    by_case = [{(row["stage"], row["shape"]): row for row in run["rows"]} for run in runs]
    for case in dict.fromkeys(case for rows in by_case for case in rows):
        rows = [measured.get(case) for measured in by_case]
        cells = [f"{percent(row['share_of_bound'])} | {ratios(row)}" if row else " | " for row in rows]
        table.append(f"| {' | '.join([*case, *cells])} |")
    parts = ["\n".join(map(description, runs)), "\n".join(table) + "\n"]
    if "views" in record:
        parts.append(views(record["views"]))
    return "\n".join(parts)


def views(record):
    """Return the comparison of the means to maximise units of a PyTorch module."""
    table = [
        "| layer | by | steps | s for all units | time over ours | activation over ours | units higher than ours "
        "| in the time of ours | steps and time over ours to reach it |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in record["rows"]:
        reached = "" if r["by"] == "ours" else "not reached"
        if r["steps_to_ours"]:
            reached = f"{r['steps_to_ours']}, {r['time_to_ours']:.2f}"
        soon = "" if r["in_our_time"] is None else f"{r['in_our_time']:.3f}"
        table.append(
            f"| {r['layer']} | {r['by']} | {r['steps']} | {r['seconds']:.2f} | {r['time_over_ours']:.2f} "
            f"| {r['activation_over_ours']:.3f} | {r['higher']} of {r['compared']} | {soon} | {reached} |"
        )
    left_out = [f"{name} is left out: {reason}.\n" for name, reason in record["left_out"].items()]
    return "\n".join(table) + "\n" + "".join("\n" + line for line in left_out)
