"""Prompts on a terminal: the client asks for new passwords twice and hides them."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.conftest import UserAccount

from wheelgate.testing.server_process import clean_environment

pytestmark = pytest.mark.slow

ANSWER_WITHIN = 30
"""Seconds."""

NEW = "new password for user {name}:"
AGAIN = "repeat new password for user {name}:"
SURE = ", are you sure to use it? (yes/no)? "


def on_terminal(home: Path, *arguments: str, typed: list[tuple[str, str]]) -> tuple[int, str]:
    """Run ``devpi`` on a terminal and type each answer at its prompt; return exit code and screen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).with_name("devpi"), *arguments],
        env=clean_environment(HOME=str(home), TERM="dumb"),
        preexec_fn=lambda: os.login_tty(theirs),  # noqa: PLW1509 - nothing else gives it a controlling terminal
    ) as process:
        os.close(theirs)
        try:
            screen, seen = "", 0
            for prompt, answer in typed:
                while prompt not in screen[seen:]:
                    screen += read(ours)
                seen = screen.index(prompt, seen) + len(prompt)
                os.write(ours, f"{answer}\n".encode())
            while text := read(ours):
                screen += text
            os.close(ours)
            return process.wait(ANSWER_WITHIN), screen.replace("\r\n", "\n")
        finally:
            process.kill()  # do not wait for a process that waits for input


def read(terminal: int) -> str:
    """Return the new output; an empty text if the program has ended."""
    assert select.select([terminal], [], [], ANSWER_WITHIN)[0], "nothing was printed"
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # the other side is closed
        return ""


def test_a_password_is_asked_for_without_being_shown(new_user: UserAccount) -> None:
    """The prompt names user and server."""
    prompt = f"password for user {new_user.name} at {new_user.server.url}: "

    code, screen = on_terminal(new_user.devpi.home, "login", new_user.name, typed=[(prompt, new_user.password)])

    assert (code, screen) == (0, f"{prompt}\nlogged in '{new_user.name}', credentials valid for 10.00 hours\n")


def test_a_new_password_is_asked_for_until_it_is_confirmed(new_user: UserAccount) -> None:
    """The client questions different and short passwords, in the recorded words."""
    name = f"{new_user.name}-typed"
    new, again = NEW.format(name=name), AGAIN.format(name=name)
    short = f"password with less than 8 characters{SURE}"
    typed = [(new, "a1234567"), (again, "b1234567")]
    typed += [(new, "tiny"), (again, "tiny"), (short, "no")]
    typed += [(new, "short"), (again, "short"), (short, "yes")]

    code, screen = on_terminal(new_user.devpi.home, "user", "-c", name, typed=typed)

    assert code == 0
    assert screen == (
        f"{new}\n{again}\npasswords did not match\n"
        f"{new}\n{again}\n{short}no\n"
        f"{new}\n{again}\n{short}yes\n"
        f"user created: {name}\n"
    )
    assert new_user.devpi("login", name, "--password", "short").ok()


@pytest.mark.parametrize("command", [["user", "-c", "typed-nothing"], ["passwd"]], ids=["user -c", "passwd"])
def test_enter_is_no_new_password(logged_in_user: UserAccount, command: list[str]) -> None:
    """Pressing Enter at the prompt for a new password changes nothing, and the client says what to do."""
    name = logged_in_user.name if command == ["passwd"] else "typed-nothing"
    new = NEW.format(name=name)

    code, screen = on_terminal(logged_in_user.devpi.home, *command, typed=[(new, "")])

    assert (code, screen) == (1, f"{new}\nthe new password is empty, and nothing was changed: choose a password\n")
    assert logged_in_user.devpi("login", logged_in_user.name, "--password", logged_in_user.password).ok()


def test_passwd_asks_for_the_new_password(logged_in_user: UserAccount) -> None:
    """Without a name it is the user logged in, who stays logged in."""
    new, again = NEW.format(name=logged_in_user.name), AGAIN.format(name=logged_in_user.name)

    code, screen = on_terminal(logged_in_user.devpi.home, "passwd", typed=[(new, "a-new-one"), (again, "a-new-one")])

    assert (code, screen) == (
        0,
        f"{new}\n{again}\n/{logged_in_user.name} changing password: ********\nuser modified: {logged_in_user.name}\n",
    )
    assert f"(logged in as {logged_in_user.name})" in logged_in_user.devpi("use").ok().out


def test_a_question_is_answered_on_the_terminal(logged_in_user: UserAccount) -> None:
    """The answer is visible, and the client repeats the question after an invalid one."""
    question = "Are you sure (yes/no)? "

    code, screen = on_terminal(
        logged_in_user.devpi.home, "user", logged_in_user.name, "--delete", typed=[(question, "j"), (question, "N")]
    )

    assert code == 0
    assert screen.splitlines() == [
        f"About to remove: <URL '{logged_in_user.root}/{logged_in_user.name}'>",
        f"{question}j",
        "not a valid choice 'j'",
        f"{question}N",
    ]


@pytest.mark.parametrize("answer", ["y", "Y", "yes", "YES"])
def test_y_counts_as_yes(logged_in_user: UserAccount, answer: str) -> None:
    """The short answer and the long one mean the same, in any case."""
    name = f"{logged_in_user.name}-{answer}"
    logged_in_user.devpi("index", "-c", name).ok()

    code, screen = on_terminal(
        logged_in_user.devpi.home, "index", name, "--delete", typed=[("Are you sure (yes/no)? ", answer)]
    )

    assert (code, screen.splitlines()[-1]) == (0, f"index deleted: {logged_in_user.root}/{logged_in_user.name}/{name}")


def test_different_passwords_end_after_three_tries(logged_in_user: UserAccount) -> None:
    """A user who cannot type the same password twice gets out without Ctrl-C, and nothing is changed."""
    new, again = NEW.format(name=logged_in_user.name), AGAIN.format(name=logged_in_user.name)

    code, screen = on_terminal(logged_in_user.devpi.home, "passwd", typed=[(new, "a1234567"), (again, "b1234567")] * 3)

    assert code == 1
    assert screen.endswith("no new password after 3 tries, and nothing was changed: try again\n")
    assert logged_in_user.devpi("login", logged_in_user.name, "--password", logged_in_user.password).ok()


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [("\x03", 130, "interrupted\n"), ("\x04", 1, "no password given\n")],
    ids=["interrupt", "end of input"],
)
def test_a_prompt_can_be_cancelled(new_user: UserAccount, key: str, code: int, said: str) -> None:
    """Neither way of leaving ends in a traceback."""
    prompt = f"password for user {new_user.name} at {new_user.server.url}: "

    left, screen = on_terminal(new_user.devpi.home, "login", new_user.name, typed=[(prompt, key)])

    assert left == code
    assert screen.endswith(said)
    assert "Traceback" not in screen
