"""The same face on Amazon's KCL: one program, one shard, a record that is parked, a drain."""

from pathlib import Path

from integration.consumer.emulated import Running, emulated

HERE = Path(__file__).parent


def test_a_consumer_runs_on_kcl(tmp_path: Path) -> None:
    """The shard's process imports the handler from beside the script; a key that fails is parked."""
    with emulated(tmp_path / "home") as aws:
        aws.put("kcl", 5)
        program = Running(str(HERE / "kcl_program.py"), "kcl", variables=aws.variables, folder=tmp_path)
        wanted = ("handled key-0 0", "handled key-1 1", "handled key-1 3")
        program.wait_for(
            lambda lines: all(any(each in line for line in lines) for each in wanted), seconds=300
        )

        def is_parked(_: list[str]) -> bool:
            items = aws.dynamodb.scan(TableName="kclprinter-parking")["Items"]
            return any(item["pk"]["S"] == "kclprinter" and item["count"]["N"] == "2" for item in items)

        program.wait_for(is_parked, seconds=120)
        assert program.terminate() == 0
        assert not any("handled key-0 2" in line or "handled key-0 4" in line for line in program.lines)
        (lease,) = aws.leases("kclprinter")
        assert lease["checkpoint"]["S"].isdecimal()
