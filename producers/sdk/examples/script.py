"""A script: put lines from standard input under the key in front of their first tab.

``python script.py STREAM < lines.tsv``
"""

import sys

from orderstream import Delivery, Producer


def main(stream: str) -> int:
    """Put each line; return how many there were."""
    with Producer(stream) as producer:
        deliveries: list[Delivery] = []
        for line in sys.stdin:
            key, _, payload = line.rstrip("\n").partition("\t")
            deliveries.append(producer.put(payload.encode(), partition_key=key))
    # The block has waited for all of them; what failed raises here.
    for delivery in deliveries:
        delivery.result(timeout=0)
    return len(deliveries)


if __name__ == "__main__":
    print(main(sys.argv[1]), "records delivered")
