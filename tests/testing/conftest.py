from orchestrator.testing.plugin import run_dag, start_dag

__all__ = ["run_dag", "start_dag"]
