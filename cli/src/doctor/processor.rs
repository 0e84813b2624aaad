//! The processor: which kernels run on it, and how much of it this process may use.

use std::num::NonZeroUsize;

use candle_signature::engine::Machine;

use super::{Check, State, system_file};

/// The processor's name, as the system has it.
pub fn name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    named.map_or_else(
        || format!("a processor of the {} family", std::env::consts::ARCH),
        |name| name.trim_start_matches(['\t', ':', ' ']).to_owned(),
    )
}

pub fn checks() -> Vec<Check> {
    let machine = Machine::detect();
    let mut checks = vec![kernels(&machine), cores(&machine)];
    checks.extend(quota(&machine));
    checks.extend(load());
    checks.extend(governor());
    checks
}

fn kernels(machine: &Machine) -> Check {
    let found = format!(
        "{}: {} for 8 and 4 bits, {} for f32",
        name(),
        machine.quantized_kernels,
        machine.f32_kernels
    );
    if machine.quantized_kernels == "portable" {
        return Check::new("kernels", State::Slow, found).advise(
            "no AVX2 with FMA and F16C was found, or on ARM no dot products: the kernels are plain code here. If the processor has them, a virtual machine hides \
             them: let it show the host's processor",
        );
    }
    Check::new("kernels", State::Ok, found)
}

fn cores(machine: &Machine) -> Check {
    let (physical, logical) = (num_cpus::get_physical(), num_cpus::get());
    let allowed = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let found = format!(
        "{physical} physical cores, {logical} logical, {allowed} allowed to this process: {} threads",
        machine.threads
    );
    if allowed < physical {
        return Check::new("cores", State::Slow, found).advise(format!(
            "a control group, container or `taskset` keeps {} cores back",
            physical - allowed
        ));
    }
    Check::new("cores", State::Ok, found)
}

/// What a control group lets through: `cpu.max` holds a quota and a period in microseconds, or `max`.
fn quota(machine: &Machine) -> Option<Check> {
    let text = system_file("/sys/fs/cgroup/cpu.max")?;
    let cpus = quota_of(&text)?;
    let found = format!("{cpus:.1} processors by the control group");
    let threads = machine.threads.get();
    Some(if cpus + 0.01 < threads as f64 {
        Check::new("cpu quota", State::Slow, found).advise(format!(
            "{threads} threads share less than that and are stopped in turn: raise the quota, or use --threads {}",
            (cpus.floor() as usize).max(1)
        ))
    } else {
        Check::new("cpu quota", State::Ok, found)
    })
}

fn quota_of(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    let period: f64 = period.trim().parse().ok().filter(|period| *period > 0.0)?;
    Some(quota.parse::<f64>().ok()? / period)
}

fn load() -> Option<Check> {
    let text = system_file("/proc/loadavg")?;
    let running: f64 = text.split(' ').next()?.parse().ok()?;
    let allowed = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let found = format!("{running:.1} processes ran or waited in the last minute");
    Some(if running > 0.5 * allowed as f64 {
        let advice = format!(
            "other work takes part of the {allowed} processors: a model's threads wait for one another, so that one busy core slows all of them"
        );
        Check::new("other work", State::Slow, found).advise(advice)
    } else {
        Check::new("other work", State::Ok, found)
    })
}

fn governor() -> Option<Check> {
    let governor = system_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")?;
    Some(match governor.as_str() {
        "powersave" => Check::new("governor", State::Slow, governor).advise(
            "the processor may stay slow to save power: `cpupower frequency-set -g performance`, where the driver heeds it",
        ),
        _ => Check::new("governor", State::Ok, governor),
    })
}

#[cfg(test)]
mod tests {
    use super::quota_of;

    #[test]
    fn a_quota_is_told_in_processors() {
        assert_eq!(quota_of("150000 100000"), Some(1.5));
        for none in ["max 100000", "", "1", "1 0", "x y"] {
            assert_eq!(quota_of(none), None, "{none}");
        }
    }
}
