"""A lake in a bucket of a real server, for the suites about S3. What is read back is a copy of the bucket."""

from lake_day import Day, ask, assert_consistent, ingest, start
from program import DAY, same_values, truth_of

DETAILS = "pncp_details/year=2025/month=10/day=22/details.parquet"
LEASE = f"pncp_details/_state/lease/pncp_details_{DAY}.json"


class Bucket:
    """A lake in a bucket of its own server, and runs over its day."""

    def __init__(self, server, folder):
        self.server, self.url, self.folder, self.copies = server, server.url(), folder, 0

    def copy(self) -> Day:
        """The lake as it is now, in a folder."""
        self.copies += 1
        folder = self.folder / f"copy-{self.copies}"
        folder.mkdir()
        for key in self.server.list(self.url + "/"):
            name = key.split("/", 1)[1]
            content = self.server.get(self.url + "/" + name)
            if content is not None: # it may go meanwhile
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return Day(folder)

    def put(self, files) -> None:
        """What Day.files gave."""
        for name, content in files.items():
            self.server.put(f"{self.url}/{name}", content)

    def ingest(self, sim, *args, **more):
        return ingest(sim, self.url, *args, **{"env": self.server.env, **more})

    def ask(self, command, *args, **more):
        return ask(command, self.url, *args, **{"env": self.server.env, **more})

    def start(self, sim, *args, **more):
        return start(sim, self.url, *args, **{"env": self.server.env, **more})

    def assert_whole(self, sim, killed=False) -> Day:
        """killed: a run or the store was, and may have left an upload, which stays until it is a day old."""
        day = self.copy()
        same_values(day.rows(), truth_of(sim))
        assert_consistent(day)
        head = self.server.head(self.url + "/" + DETAILS)
        assert day.completo()["commit"] == day.commit() == head["x-amz-meta-pncp-commit"]
        assert day.progresso()["phase"] == "ended" and day.records()
        assert killed or self.server.uploads(self.url + "/" + DETAILS) == []
        assert self.ask("verify").summary["problems"] == 0
        return day
