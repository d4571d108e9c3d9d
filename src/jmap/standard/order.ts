/**
 * Orders names so that each comes after those it refers to.
 * Names on a cycle, or referring to one, are in `cyclic`.
 */
export function orderByReferences(references: ReadonlyMap<string, readonly string[]>): {
  ordered: string[];
  cyclic: Set<string>;
} {
  const ordered: string[] = [];
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const [name, targets] of references) {
    const inside = new Set(targets.filter((target) => references.has(target)));
    waiting.set(name, inside.size);
    for (const target of inside) followers.set(target, [...(followers.get(target) ?? []), name]);
  }
  const ready = [...references.keys()].filter((name) => waiting.get(name) === 0);
  for (let index = 0; index < ready.length; index++) {
    const name = ready[index]!;
    ordered.push(name);
    for (const follower of followers.get(name) ?? []) {
      const left = waiting.get(follower)! - 1;
      waiting.set(follower, left);
      if (left === 0) ready.push(follower);
    }
  }
  const done = new Set(ordered);
  return { ordered, cyclic: new Set([...references.keys()].filter((name) => !done.has(name))) };
}
