"""The tables of a config, one class each, and what single stages take of them.

One design decision: a table says what its keys mean where it declares them; keys that belong to a seam's own
module are let through (`Open`) and checked there.
"""

from lema.config.arms import ArmConfig, BudgetConfig, ReportConfig, TrainConfig
from lema.config.config import (
    RECIPES,
    Config,
    find_recipe,
    lay_over,
    load_config,
    load_table,
    parse_config,
    recipes,
)
from lema.config.sampling import (
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
    SettleConfig,
    VerifyConfig,
)
from lema.config.sources import (
    SMALL,
    FinishConfig,
    GrowConfig,
    MachineConfig,
    ModelConfig,
    Name,
    PriceConfig,
    SpendConfig,
    TaskConfig,
)
from lema.config.stages import (
    AccountConfig,
    AssembleConfig,
    ImportConfig,
    ReportOneConfig,
    ScoreConfig,
    TrainOneConfig,
)

__all__ = [
    "CHECKS",
    "RECIPES",
    "SMALL",
    "AccountConfig",
    "AdaptiveConfig",
    "ArmConfig",
    "AskConfig",
    "AssembleConfig",
    "BudgetConfig",
    "Config",
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
    "PriceConfig",
    "PurchaseConfig",
    "ReportConfig",
    "ReportOneConfig",
    "SampleConfig",
    "ScoreConfig",
    "SettleConfig",
    "SpendConfig",
    "TaskConfig",
    "TrainConfig",
    "TrainOneConfig",
    "VerifyConfig",
    "find_recipe",
    "lay_over",
    "load_config",
    "load_table",
    "parse_config",
    "recipes",
]
