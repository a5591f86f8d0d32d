"""The curves of a training → figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plotly.subplots import make_subplots

from ctspine_bench.charts.style import GREY, OKABE_ITO, add_heading, styled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go


def training_curves(curves: Mapping[str, Sequence[float | None]]) -> go.Figure:
    """Draw the loss of a training, and the Dice on patches that nnU-Net logs, over its epochs.

    Args:
        curves: "training_loss", "pseudo_dice" and "pseudo_dice_ema" (its moving mean), a number for each epoch.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    for column, name, colour, width, words in (
        (1, "training_loss", OKABE_ITO["vermillion"], 2, "loss"),
        (2, "pseudo_dice", GREY, 1, "pseudo Dice"),
        (2, "pseudo_dice_ema", OKABE_ITO["blue"], 2, "its moving mean"),
    ):
        values = list(curves[name])
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=values,
            mode="lines",
            line={"color": colour, "width": width},
            hovertemplate=f"epoch %{{x}}: {words} %{{y:.3f}}<extra></extra>",
            row=1,
            col=column,
        )
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="training loss", row=1, col=1)
    figure.update_yaxes(title="Dice on patches", range=[-0.03, 1.03], row=1, col=2)
    add_heading(figure, "grey: each epoch; blue: moving mean", at_right=True)
    return styled(figure, 260, top=28, bottom=48, min_width=560)
