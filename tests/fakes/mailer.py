"""A mailer in memory, as strict as SES."""

from orderstream_workers.services.notifications import Mail
from orderstream_workers.services.notifications.mailer import check_mail


class MemoryMailer:
    """Keeps mails in a list, in the order in which they were accepted."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """See ``Mailer.send``."""
        check_mail(mail)
        self.sent.append(mail)
