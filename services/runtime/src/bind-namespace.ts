import type { MaybePromise, SharedStore, Store } from "@claw/core/ports";

/**
 * A store as a node of one namespace sees it: every verb that reads runs answers for runs of this
 * namespace alone. Writes are bound by `Batch.namespace`, which the committer sets.
 */
export function boundTo(store: Store, namespace: string): Store {
  return {
    ...store,
    ...(store.shared === undefined ? {} : { shared: boundShared(store.shared, namespace) }),
    load: (ids) =>
      then(store.load(ids), (runs) => runs.filter(({ row }) => row.namespace === namespace)),
    due: (nowMs, limit, orphans) => store.due(nowMs, limit, orphans, namespace),
    suspects: (limit) => store.suspects(limit, namespace),
    nextDue: (afterMs) => store.nextDue(afterMs, namespace),
    held: (kinds, limit) => store.held(kinds, limit, namespace),
    approvals: (query) => store.approvals({ ...query, namespace }),
    list: (query) => store.list({ ...query, namespace }),
    streams: { read: (query) => store.streams.read({ ...query, namespace }) },
    find: (id) => then(store.find(id), (run) => (run?.namespace === namespace ? run : null)),
  };
}

function boundShared(shared: SharedStore, namespace: string): SharedStore {
  return { ...shared, claim: (ids) => shared.claim(ids, namespace) };
}

// An answer given at once stays one: nothing waits a turn for it.
function then<T, U>(answer: MaybePromise<T>, use: (value: T) => U): MaybePromise<U> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}
