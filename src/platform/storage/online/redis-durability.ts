import { onlineFailure } from './online-store.ts'
import type { RedisArguments } from './redis-connection.ts'

/**
 * Refuses a Redis that would forget what it acknowledged: one that evicts, or that answers before the append-only file
 * is on disk. With `inMemory` the operator has accepted the latter.
 */
export async function checkRedisKeeps(
  ask: (args: RedisArguments) => Promise<unknown>,
  { inMemory }: { inMemory: boolean },
): Promise<void> {
  const refuse = (message: string, hint: string) => {
    throw onlineFailure('online_store_misconfigured', message, { hint })
  }
  const info = String(await ask(['INFO']))
  const policy = fieldOf(info, 'maxmemory_policy')
  if (policy?.startsWith('allkeys-')) {
    refuse(
      `Redis evicts features when its memory is full (maxmemory-policy ${policy})`,
      'Set maxmemory-policy noeviction in redis.conf, and enough maxmemory.',
    )
  }
  if (inMemory) return
  const accept =
    'or accept with ?durability=memory in ONLINE_URL that a crash of Redis loses features until they are materialized again.'
  if (fieldOf(info, 'aof_enabled') !== '1')
    refuse('Redis keeps no append-only file', `Set appendonly yes and appendfsync always in redis.conf, ${accept}`)
  const fsync = await appendFsync(ask)
  if (fsync !== 'always')
    refuse(
      `Redis acknowledges what is not on disk yet (appendfsync ${fsync})`,
      `Set appendfsync always in redis.conf, ${accept}`,
    )
}

async function appendFsync(ask: (args: RedisArguments) => Promise<unknown>): Promise<string> {
  const answer = await ask(['CONFIG', 'GET', 'appendfsync'])
  if (Array.isArray(answer)) return String(answer[1])
  if (typeof answer === 'object' && answer !== null && 'appendfsync' in answer) return String(answer.appendfsync)
  return 'unknown'
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}
