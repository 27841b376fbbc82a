"""Numbers of rows in addresses: whole, and none that the database has no room for."""


class NumberConverter:
    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)
