"""The tables of a config, one class each, and what single stages take of them.

One design decision: a table says what its keys mean where it declares them; keys that belong to a seam's own
module are let through (`Open`) and checked there.
"""

from lema.tables.arms import (
    ArmConfig,
    BudgetConfig,
    ReportConfig,
    Take,
    TrainConfig,
)
from lema.tables.asking import (
    CHECKS,
    AdaptiveConfig,
    AskConfig,
    CorrectConfig,
    CotConfig,
    CritiqueConfig,
    CritiqueOneConfig,
    EvaluateConfig,
    EvolveConfig,
    PurchaseConfig,
    SampleConfig,
    Sort,
    VerifyConfig,
)
from lema.tables.single import (
    AccountConfig,
    AssembleConfig,
    ImportConfig,
    ReportOneConfig,
    ScoreConfig,
    TrainOneConfig,
)
from lema.tables.sources import (
    SMALL,
    FinishConfig,
    GrowConfig,
    MachineConfig,
    ModelConfig,
    Name,
    Open,
    PriceConfig,
    SpendConfig,
    TaskConfig,
)

__all__ = [
    "CHECKS",
    "SMALL",
    "AccountConfig",
    "AdaptiveConfig",
    "ArmConfig",
    "AskConfig",
    "AssembleConfig",
    "BudgetConfig",
    "CorrectConfig",
    "CotConfig",
    "CritiqueConfig",
    "CritiqueOneConfig",
    "EvaluateConfig",
    "EvolveConfig",
    "FinishConfig",
    "GrowConfig",
    "ImportConfig",
    "MachineConfig",
    "ModelConfig",
    "Name",
    "Open",
    "PriceConfig",
    "PurchaseConfig",
    "ReportConfig",
    "ReportOneConfig",
    "SampleConfig",
    "ScoreConfig",
    "Sort",
    "SpendConfig",
    "Take",
    "TaskConfig",
    "TrainConfig",
    "TrainOneConfig",
    "VerifyConfig",
]
