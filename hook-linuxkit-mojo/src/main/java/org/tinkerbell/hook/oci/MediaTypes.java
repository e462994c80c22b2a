package org.tinkerbell.hook.oci;

/**
 * Media types of the <a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md">OCI image
 * specification</a>, and those of Docker that mean the same
 * (<a href="https://github.com/distribution/distribution/blob/main/docs/content/spec/manifest-v2-2.md">manifest-v2-2.md</a>).
 */
final class MediaTypes {
    static final String INDEX = "application/vnd.oci.image.index.v1+json";
    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    static final String LAYER = "application/vnd.oci.image.layer.v1.tar";
    static final String LAYER_GZIP = LAYER + "+gzip";
    static final String LAYER_ZSTD = LAYER + "+zstd";
    static final String DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
    static final String DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

    private MediaTypes() {}

    static boolean isIndex(String type) {
        return type.equals(INDEX) || type.equals(DOCKER_LIST);
    }

    static boolean isManifest(String type) {
        return type.equals(MANIFEST) || type.equals(DOCKER_MANIFEST);
    }
}
