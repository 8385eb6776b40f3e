import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Config } from '#platform/config.ts'
import type { ControlPlane } from '#platform/control-plane.ts'
import { startupFailure } from '#platform/startup-error.ts'

export async function listen(controlPlane: ControlPlane, config: Config): Promise<{ port: number }> {
  try {
    const listening = await controlPlane.http.listen({ host: config.host, port: config.port })
    return { port: Number(new URL(listening).port) }
  } catch (error) {
    throw explained(error, config.host, config.port, 'PAVE_PORT')
  }
}

/** Answers the port, which the system chooses when it is 0. */
export async function listenOn(server: Server, host: string, port: number, variable: string): Promise<number> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw explained(error, host, port, variable)
  }
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** Tried before anything is started for it, so that nobody waits for what cannot become of it. */
export async function refuseTakenPort(host: string, port: number, variable: string): Promise<void> {
  const trial = createServer()
  try {
    await listenOn(trial, host, port, variable)
  } finally {
    trial.close()
  }
}

function explained(error: unknown, host: string, port: number, variable: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return startupFailure('port_in_use', `Port ${port} on ${host} is in use`, {
      hint: `Stop what listens there, or choose another port: ${variable}=${port + 10} pave up`,
      cause: error,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
    return startupFailure('invalid_configuration', `Nothing can listen on ${host}:${port}: ${code}`, {
      hint: `Set PAVE_HOST to an address of this machine and ${variable} to a port that this user may open.`,
      cause: error,
    })
  }
  return error
}
