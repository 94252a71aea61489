"""Databases that tests make, copy and throw away, from outside of Odoo."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from odoo.tools import config


def run(*command, script=None):
    """Run a program to its end.

    :param str script: what it reads from standard input
    :return: what it printed, on both channels
    :raise AssertionError: with the end of that, when the program fails
    """
    done = subprocess.run(
        command, check=False, input=script, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-5000:]}")
    return done.stdout


def shell(database, script):
    """Run a script in Odoo's shell on a database; any error ends it with a failure."""
    return run("odoo", "shell", "-d", database, "--no-http", "--log-level=warn", script=script)


def required_template(variable):
    """Name of the database that ``./dev test`` prepared, from the environment."""
    template = os.environ.get(variable)
    if not template:
        raise AssertionError(f"{variable} isn't set: run this by ./dev test")
    return template


def copy_database(source, name):
    """Copy a database and its attachments, which are never changed in place."""
    drop_database(name)
    run("createdb", "-T", source, name)
    if _filestore(source).is_dir():
        shutil.copytree(_filestore(source), _filestore(name), copy_function=os.link)


def drop_database(name):
    """Remove a database, if it is there, and its attachments."""
    for trial in range(10):
        try:
            run("dropdb", "--if-exists", "--force", name)
            break
        except AssertionError:  # PostgreSQL's own autovacuum is at work there, and soon done
            if trial == 9:
                raise
            time.sleep(1)
    shutil.rmtree(_filestore(name), ignore_errors=True)


def _filestore(name):
    return Path(config["data_dir"], "filestore", name)
