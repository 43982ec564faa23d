from tests.hosts.recorded import host, project

__all__ = ["host", "project"]
