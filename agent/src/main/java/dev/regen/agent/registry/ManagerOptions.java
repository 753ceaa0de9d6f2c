package dev.regen.agent.registry;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.StoreUrl;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a manager is told.
 *
 * @param htpasswd who may log in; null: everybody may everything
 * @param rules null for none
 * @param tokenKey a file of 32 bytes or more that managers of one store share, so that one takes
 *     another's tokens; null: a key of this process alone
 * @param url how clients reach it, where a proxy stands before it; null: as they say
 * @param collectEvery how often what nobody needs is collected; null: never
 */
public record ManagerOptions(
    Listening listening,
    StoreUrl store,
    @Nullable Path htpasswd,
    @Nullable Path rules,
    @Nullable Path tokenKey,
    @Nullable URI url,
    @Nullable Duration collectEvery) {
  /** Whether whoever reaches it may read and write everything, from other hosts too. */
  boolean openToAll() {
    return htpasswd == null && listening.isOpen();
  }
}
