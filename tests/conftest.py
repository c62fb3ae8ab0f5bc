"""What holds for every test."""

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is; what is fast enough is measured in benchmarks/.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change is judged by the same examples each time: what fails is of the change. `make explore` looks for others.
settings.register_profile("repeatable", _UNTIMED, derandomize=True)
settings.register_profile("exploring", _UNTIMED, print_blob=True)
settings.load_profile("repeatable")
