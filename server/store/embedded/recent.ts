/** What was put or found last, as much of it as may be. */
export type Recent<K, V> = {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
};

type Place<K, V> = { readonly key: K; value: V; weight: number; newer: Place<K, V>; older: Place<K, V> };

/**
 * Keeps no more than `most` by weight, and forgets first what was used longest ago. In a ring of its own: the first key of a Map is
 * looked for among all that were deleted before it.
 */
export function makeRecent<K, V>(most: number, weightOf: (value: V) => number = () => 1): Recent<K, V> {
  const places = new Map<K, Place<K, V>>();
  let newest: Place<K, V> | undefined;
  let weight = 0;

  function take({ newer, older }: Place<K, V>): void {
    newer.older = older;
    older.newer = newer;
  }

  /** Between the newest, behind which the oldest is, and that. */
  function add(place: Place<K, V>): void {
    if (newest === undefined) place.newer = place.older = place;
    else {
      place.older = newest;
      place.newer = newest.newer;
      newest.newer.older = place;
      newest.newer = place;
    }
    newest = place;
  }

  function use(place: Place<K, V>): void {
    if (place === newest) return;
    take(place);
    add(place);
  }

  function forgetOldest(): void {
    const oldest = newest?.newer;
    if (oldest === undefined) return;
    if (oldest === newest) newest = undefined;
    else take(oldest);
    places.delete(oldest.key);
    weight -= oldest.weight;
  }

  return {
    get(key) {
      const place = places.get(key);
      if (place === undefined) return undefined;
      use(place);
      return place.value;
    },
    put(key, value) {
      const added = weightOf(value);
      let place = places.get(key);
      if (place === undefined) {
        // Its neighbours are set as it is added.
        place = { key, value, weight: added } as Place<K, V>;
        places.set(key, place);
        add(place);
      } else {
        weight -= place.weight;
        place.value = value;
        place.weight = added;
        use(place);
      }
      weight += added;
      while (weight > most && newest !== undefined) forgetOldest();
    },
  };
}
