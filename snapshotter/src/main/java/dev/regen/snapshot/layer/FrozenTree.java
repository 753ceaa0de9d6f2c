package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer.Kind;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A layer tree that is to be archived.
 *
 * @param kind how it was frozen
 * @param listing of a tree of kind {@code LISTED}, which holds a part of the files; else null
 */
public record FrozenTree(Path tree, Kind kind, @Nullable Path listing) {}
