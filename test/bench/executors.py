# What npm run bench holds the suite against: Python's own executors, with requests.
#
# Run: python3 executors.py posts threads|processes URL COUNT WORKERS
#      python3 executors.py manager URL COUNT WORKERS
#      python3 executors.py operation COUNT
# Prints one line of JSON: {"ms": ...}, or {"us": ...} for one operation.

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import Manager, Process
from threading import local

import requests

own = local()


def session():
    if not hasattr(own, "session"):
        own.session = requests.Session()
    return own.session


def post(url, item):
    return session().post(url, json={"request": item}).status_code


def post_into(shared, url, item):
    shared[item] = post(url, item)


def posts(kind, url, count, workers):
    executor = ThreadPoolExecutor if kind == "threads" else ProcessPoolExecutor
    begun = time.perf_counter()
    with executor(int(workers)) as pool:
        futures = [pool.submit(post, url, item) for item in range(int(count))]
        statuses = [future.result() for future in futures]
    return {"ms": (time.perf_counter() - begun) * 1000, "ok": statuses.count(201)}


def manager(url, count, workers):
    begun = time.perf_counter()
    with Manager() as shared_objects, ProcessPoolExecutor(int(workers)) as pool:
        shared = shared_objects.dict()
        futures = [pool.submit(post_into, shared, url, item) for item in range(int(count))]
        for future in futures:
            future.result()
        statuses = list(dict(shared).values())
    return {"ms": (time.perf_counter() - begun) * 1000, "ok": statuses.count(201)}


def time_operations(shared, count, times):
    for _ in range(200):
        shared["warm-up"] = 1
    begun = time.perf_counter()
    for number in range(count):
        shared["key"] = number
    times.append((time.perf_counter() - begun) / count * 1e6)


def operation(count):
    with Manager() as shared_objects:
        shared, times = shared_objects.dict(), shared_objects.list()
        worker = Process(target=time_operations, args=(shared, int(count), times))
        worker.start()
        worker.join()
        return {"us": times[0]}


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps(globals()[name](*arguments)))
