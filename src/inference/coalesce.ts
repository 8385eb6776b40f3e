/** Runs the work once more when it was asked for meanwhile, and never twice at once. */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let again = false
  return () => {
    again = true
    running ??= (async () => {
      while (again) {
        again = false
        await work()
      }
    })().finally(() => {
      running = undefined
    })
    return running
  }
}
