import type { OnlineStore } from '#platform/storage/online/online-store.ts'

/** Of a node on another machine than the store: what looks features up fails and says why, the rest is served. */
export const noOnlineStore: OnlineStore = {
  getMany: (keys) => (keys.length === 0 ? [] : fail()),
  writeBatch: async () => fail(),
  deleteNamespace: async () => fail(),
  close: async () => {},
}

function fail(): never {
  throw new Error('this node has no online store; a store that nodes share is set with ONLINE_URL')
}
