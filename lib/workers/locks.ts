// Locks, one for each key, granted in the order of asking.

/** Locks that are all free. `Owner` is who holds one: a worker, say. */
export function locks<Key, Owner>() {
  // Those that want a lock; the first has it.
  const queues = new Map<Key, { owner: Owner; grant: () => void }[]>();

  function grantFirst(key: Key, queue: { owner: Owner; grant: () => void }[]) {
    queues.set(key, queue);
    const [first] = queue;
    if (first) first.grant();
    else queues.delete(key);
  }

  return {
    /** Calls `grant` once `owner` has the lock, perhaps at once. */
    acquire(key: Key, owner: Owner, grant: () => void): void {
      const queue = queues.get(key);
      if (queue) queue.push({ owner, grant });
      else grantFirst(key, [{ owner, grant }]);
    },
    /** @throws {Error} `owner` does not have the lock. */
    release(key: Key, owner: Owner): void {
      const queue = queues.get(key);
      if (queue?.[0]?.owner !== owner) throw new Error("Cannot release a lock that is not held");
      grantFirst(key, queue.slice(1));
    },
    /** `owner` has ended, perhaps by dying: it holds no lock and wants none. */
    releaseAll(owner: Owner): void {
      for (const [key, queue] of queues) {
        const others = queue.filter((one) => one.owner !== owner);
        if (queue[0]!.owner === owner) grantFirst(key, others);
        else queues.set(key, others);
      }
    },
  };
}
