import type { Redis } from 'ioredis';
import type { ShardScript } from './shard-scripts.ts';

export type ScriptArgument = string | number | Buffer;

type Commands = Readonly<Record<string, (args: readonly ScriptArgument[]) => Promise<unknown>>>;

/** Makes the scripts commands of the connection: sent as a digest, and whole where the server does not know it. */
export function defineScripts(redis: Redis, scripts: readonly ShardScript[]): void {
  for (const { name, numberOfKeys, lua } of scripts) redis.defineCommand(name, { numberOfKeys, lua });
}

/**
 * Runs a defined script; its reply is an array, of buffers where they are asked for. The arguments go as one array, since a call takes no more than about
 * 100,000.
 */
export async function runShardScript(
  redis: Redis,
  script: ShardScript,
  keys: readonly string[],
  args: readonly ScriptArgument[],
  { asBuffers = false }: { readonly asBuffers?: boolean } = {},
): Promise<readonly unknown[]> {
  const commands = redis as unknown as Commands;
  const reply = await commands[asBuffers ? `${script.name}Buffer` : script.name]([...keys, ...args]);
  return reply as readonly unknown[];
}
