"""What the Raspberry Pi's firmware says about undervoltage, throttling and heat."""

from __future__ import annotations

from pathlib import Path


def throttled_bits(sys: Path = Path("/sys")) -> int | None:
    """The firmware's `get_throttled`; None where the kernel does not offer it, as on a PC or some Pi 5s.

    Bits 0 to 3 hold for the present, those 16 higher since boot: undervoltage, frequency capped, throttled,
    temperature limit. https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
    """
    # soc/soc:firmware up to the Pi 4; the Pi 5's nodes bear an address, as in soc@107c000000:firmware.
    for path in sorted(sys.glob("devices/platform/soc*/soc*:firmware/get_throttled")):
        try:
            return int(path.read_text(encoding="ascii"), 16)
        except (OSError, ValueError):
            continue
    return None
