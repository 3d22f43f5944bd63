"""The config: the tables of a run, one class each, and what single stages take of them.

One design decision: a table says what its keys mean where it declares them; keys that belong to a plugin's own
module are let through (`Open`) and checked there.
"""

from lema.config.arms import ArmConfig, BudgetConfig
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
    CorrectConfig,
    CotConfig,
    CritiqueConfig,
    CritiqueOneConfig,
    EvolveConfig,
    PurchaseConfig,
    SampleConfig,
    SettleConfig,
    VerifyConfig,
)
from lema.config.sources import GrowConfig
from lema.config.stages import (
    AccountConfig,
    AssembleConfig,
    ImportConfig,
    ReportOneConfig,
    ScoreConfig,
    TrainOneConfig,
)

__all__ = [
    "CHECKS", "RECIPES", "AccountConfig", "AdaptiveConfig", "ArmConfig", "AssembleConfig", "BudgetConfig", "Config",
    "CorrectConfig", "CotConfig", "CritiqueConfig", "CritiqueOneConfig", "EvolveConfig", "GrowConfig",
    "ImportConfig", "PurchaseConfig", "ReportOneConfig", "SampleConfig", "ScoreConfig", "SettleConfig",
    "TrainOneConfig", "VerifyConfig", "find_recipe", "lay_over", "load_config", "load_table", "parse_config",
    "recipes",
]
