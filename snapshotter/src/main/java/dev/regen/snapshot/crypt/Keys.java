package dev.regen.snapshot.crypt;

import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.io.IOException;

/** Keys by their ids. Safe for use by several threads at once. */
public interface Keys {
  /** There are none. */
  Keys NONE =
      new Keys() {
        @Override
        public QueueKey key(KeyId id) throws RegenException {
          throw new RegenException.Refused("key " + id + " is not here");
        }

        @Override
        public QueueKey active() throws RegenException {
          throw new RegenException.Refused("there is no key to encrypt with");
        }
      };

  /**
   * The key of that id.
   *
   * @throws RegenException.Refused if it is not to be had; names it, the file, and what to do
   */
  QueueKey key(KeyId id) throws IOException;

  /**
   * The key to encrypt with.
   *
   * @throws RegenException.Refused if there is none; names the file, and what to do
   */
  QueueKey active() throws IOException;
}
