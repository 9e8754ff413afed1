// Notices that the process which started this one is gone, however it ended.

/**
 * Calls back once when this process's parent has ended, also by SIGKILL.
 * A closed IPC channel tells at once; without one, a look at the parent's id does within 250 ms.
 * Keeps the process alive for no longer than it has other work.
 */
export function onParentGone(callback: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => process.ppid !== parent && gone(), 250).unref();
  function gone() {
    clearInterval(timer);
    process.removeListener("disconnect", gone);
    callback();
  }
  process.once("disconnect", gone);
  process.channel?.unref(); // listening alone would keep the process alive
}
