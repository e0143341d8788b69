"""Names what may not be passed on: ``python -m supply_chain.check_licences``."""

import sys

from supply_chain.licences import findings, installed_licence
from supply_chain.products import products


def main() -> int:
    """Check everything that is in an image."""
    packages = {each.name: each for product in products() if product.is_image for each in product.locked}
    found = findings((name, installed_licence(each)) for name, each in sorted(packages.items()))
    print(*found, f"{len(packages)} packages in the images: {len(found)} findings", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
