package dev.regen.snapshot.crypt;

import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** Keys in memory, made of a number each: the same number gives the same key. */
public final class FixedKeys implements Keys {
  private final Map<KeyId, QueueKey> keys = new HashMap<>();
  private KeyId active = id(0);

  /** Puts a key in and lets it encrypt. */
  public FixedKeys activate(int number) {
    active = id(number);
    keys.put(active, key(number, number));
    return this;
  }

  /** Takes a key away. */
  public void lose(int number) {
    keys.remove(id(number));
  }

  /** Puts another key in its place, under its id. */
  public void exchange(int number) {
    keys.put(id(number), key(number, number + 1_000_000));
  }

  public static KeyId id(int number) {
    return new KeyId("%016x".formatted(number));
  }

  public static QueueKey key(int number, int seed) {
    byte[] secret = new byte[QueueKey.SECRET_BYTES];
    new Random(seed).nextBytes(secret);
    return new QueueKey(id(number), "/the/keys.json", secret);
  }

  @Override
  public QueueKey key(KeyId id) throws RegenException {
    QueueKey key = keys.get(id);
    if (key == null) {
      throw new RegenException.Refused("key " + id + " is not in /the/keys.json; put it back");
    }
    return key;
  }

  @Override
  public QueueKey active() throws RegenException {
    return key(active);
  }
}
