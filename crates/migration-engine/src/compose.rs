//! A tool's own enum of the steps it uses.

/// Declares a tool's step as an enum of library steps, with the evidence to match.
///
/// Each variant names a step and the field of the tool's world that it works with; without one it works with the world
/// itself. Plans and journals then name each step by its variant, so the format of a run belongs to the tool, not to the
/// libraries.
///
/// ```
/// use migration_engine::compose_steps;
/// use migration_engine::steps::{Files, InstallFile, Retire};
///
/// compose_steps! {
///     /// What this tool does.
///     pub enum Effect, Trace in Files {
///         /// Puts a transcript in its place.
///         Transcript(InstallFile),
///         /// Moves away what is not needed any more.
///         Old(Retire),
///     }
/// }
/// ```
///
/// With a database beside the files, `World` would be implemented for `struct Handles { files: Files, database: … }`, and
/// the variants would say `Transcript(InstallFile) with files`.
#[macro_export]
macro_rules! compose_steps {
    (
        $(#[$meta:meta])*
        $vis:vis enum $step:ident, $evidence:ident in $world:ty {
            $($(#[$doc:meta])* $variant:ident($inner:ty) $(with $field:ident)?),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "migration_engine::serde", tag = "step", rename_all = "kebab-case")]
        $vis enum $step { $($(#[$doc])* $variant($inner)),+ }

        /// What the steps left behind: one variant for each.
        #[derive(Debug, Clone, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "migration_engine::serde", tag = "step", rename_all = "kebab-case")]
        $vis enum $evidence { $($(#[$doc])* $variant(<$inner as $crate::Step>::Evidence)),+ }

        $(impl From<$inner> for $step {
            fn from(step: $inner) -> Self { Self::$variant(step) }
        })+

        impl $step {
            const FOREIGN: &'static str = "the journal holds the evidence of another step";
        }

        impl $crate::Step for $step {
            type World = $world;
            type Evidence = $evidence;

            fn describe(&self) -> String {
                match self { $(Self::$variant(step) => step.describe()),+ }
            }

            fn cost(&self) -> $crate::Cost {
                match self { $(Self::$variant(step) => step.cost()),+ }
            }

            fn inspect(
                &self,
                world: &mut $world,
                evidence: Option<&$evidence>,
                look: $crate::Look,
                cx: &$crate::Cx<'_>,
            ) -> Result<$crate::State, $crate::StepError> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), None) => step.inspect(&mut (*world)$(.$field)?, None, look, cx),
                    (Self::$variant(step), Some($evidence::$variant(evidence))) => {
                        step.inspect(&mut (*world)$(.$field)?, Some(evidence), look, cx)
                    })+
                    _ => Err($crate::Cause::new("foreign-evidence", Self::FOREIGN).world()),
                }
            }

            fn stage(
                &self,
                world: &mut $world,
                slot: &$crate::Slot,
                cx: &$crate::Cx<'_>,
            ) -> Result<$evidence, $crate::StepError> {
                match self {
                    $(Self::$variant(step) => {
                        step.stage(&mut (*world)$(.$field)?, slot, cx).map($evidence::$variant)
                    })+
                }
            }

            fn publish(
                &self,
                world: &mut $world,
                slot: &$crate::Slot,
                evidence: &$evidence,
            ) -> Result<(), $crate::StepError> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), $evidence::$variant(evidence)) => {
                        step.publish(&mut (*world)$(.$field)?, slot, evidence)
                    })+
                    _ => Err($crate::Cause::new("foreign-evidence", Self::FOREIGN).world()),
                }
            }

            fn revert(
                &self,
                world: &mut $world,
                slot: &$crate::Slot,
                evidence: Option<&$evidence>,
                cx: &$crate::Cx<'_>,
            ) -> Result<(), $crate::StepError> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), None) => step.revert(&mut (*world)$(.$field)?, slot, None, cx),
                    (Self::$variant(step), Some($evidence::$variant(evidence))) => {
                        step.revert(&mut (*world)$(.$field)?, slot, Some(evidence), cx)
                    })+
                    _ => Err($crate::Cause::new("foreign-evidence", Self::FOREIGN).world()),
                }
            }

            fn unstage(
                &self,
                world: &mut $world,
                slot: &$crate::Slot,
                evidence: &$evidence,
                cx: &$crate::Cx<'_>,
            ) -> Result<(), $crate::StepError> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), $evidence::$variant(evidence)) => {
                        step.unstage(&mut (*world)$(.$field)?, slot, evidence, cx)
                    })+
                    _ => Err($crate::Cause::new("foreign-evidence", Self::FOREIGN).world()),
                }
            }

            fn set_aside(
                &self,
                world: &mut $world,
                slot: &$crate::Slot,
                evidence: &$evidence,
                folder: &std::path::Path,
                cx: &$crate::Cx<'_>,
            ) -> Result<(), $crate::StepError> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), $evidence::$variant(evidence)) => {
                        step.set_aside(&mut (*world)$(.$field)?, slot, evidence, folder, cx)
                    })+
                    _ => Err($crate::Cause::new("foreign-evidence", Self::FOREIGN).world()),
                }
            }

            fn aside(&self, slot: &$crate::Slot, folder: &std::path::Path) -> Option<String> {
                match self { $(Self::$variant(step) => step.aside(slot, folder)),+ }
            }

            fn reversible(&self) -> bool {
                match self { $(Self::$variant(step) => step.reversible()),+ }
            }

            fn stashes(&self, slot: &$crate::Slot, evidence: &$evidence) -> Vec<std::path::PathBuf> {
                #[allow(unreachable_patterns)]
                match (self, evidence) {
                    $((Self::$variant(step), $evidence::$variant(evidence)) => step.stashes(slot, evidence),)+
                    _ => Vec::new(),
                }
            }
        }
    };
}
